//! Spellings of waits, real ones and any text.

#![expect(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::{any, prop, prop_assert, proptest};
use reqwest::header::{HeaderName, HeaderValue};

use super::*;

/// 23 November 2026, 10:00:00 UTC.
const NOW: u64 = 1_795_428_000;

fn headers(list: &[(&str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in list {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        headers.append(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    headers
}

fn wait_of(list: &[(&str, &str)], refusal: Refusal) -> Option<u128> {
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(NOW);
    wait_at(&headers(list), refusal, now).map(|wait| wait.as_millis())
}

fn wait(retry: &str) -> Option<u128> {
    wait_of(&[("retry-after", retry)], Refusal::Limited)
}

#[test]
fn numbers_fractions_units_and_several_values_are_understood() {
    for (retry, expected) in [
        ("2", Some(2_000)),
        (" 120 ", Some(120_000)),
        ("6.0", Some(6_000)),
        ("1.5", Some(1_500)),
        ("0.2", Some(200)),
        (".5", Some(500)),
        ("+4", Some(4_000)),
        ("\"7\"", Some(7_000)),
        ("3, 5", Some(5_000)),
        ("5,3", Some(5_000)),
        ("3, soon", Some(3_000)),
        ("120; comment", Some(120_000)),
        ("120 (two minutes)", Some(120_000)),
        ("3s", Some(3_000)),
        ("500ms", Some(500)),
        ("2 minutes", Some(120_000)),
        ("2 Minutes", Some(120_000)),
        ("1m30s", Some(90_000)),
        ("1h 2m 3.5s", Some(3_723_500)),
        ("PT1M30S", Some(90_000)),
        ("00:01:30", Some(90_000)),
        ("1 day", Some(86_400_000)),
        ("1000000000", Some(1_000_000_000_000)),
        ("0", None),
        ("0.0", None),
        ("0s", None),
    ] {
        assert_eq!(wait(retry), expected, "{retry}");
    }
}

#[test]
fn times_are_understood_in_every_form_and_zone_and_rounded_up() {
    for time in [
        "Mon, 23 Nov 2026 10:00:30 GMT",
        "Mon, 23 Nov 2026 10:00:30 UTC",
        "Mon, 23 Nov 2026 10:00:30 +0000",
        "Mon, 23 Nov 2026 12:00:30 +0200",
        "Mon, 23 Nov 2026 10:00:30 GMT+00:00",
        "Mon, 23 Nov 2026 05:00:30 EST",
        "Mon, 23 Nov 2026 10:00:30",
        "mon, 23 nov 2026 10:00:30 gmt",
        "23 Nov 2026 10:00:30 GMT",
        "Mon, 23 Nov 2026 10:00:30 GMT, 5",
        "5, Mon, 23 Nov 2026 10:00:30 GMT",
        "Monday, 23-Nov-26 10:00:30 GMT",
        "Mon, 23-Nov-2026 10:00:30 GMT",
        "Mon Nov 23 10:00:30 2026",
        "Mon Nov 23 10:00:30 UTC 2026",
        "2026-11-23T10:00:30Z",
        "2026-11-23T12:00:30+02:00",
        "2026-11-23T10:00:29.001Z",
        "2026-11-23 10:00:30 UTC",
        "2026-11-23T10:00:30",
        "1795428030",
        "1795428029.2",
        "1795428030000",
        "1795428030000000",
    ] {
        assert_eq!(wait(time), Some(30_000), "{time}");
    }
    for past in ["Mon, 23 Nov 2026 10:00:00 GMT", "Mon, 23 Nov 2020 10:00:00 GMT", "1700000000"] {
        assert_eq!(wait(past), None, "{past}");
    }
    assert!(wait("Fri, 31 Dec 9999 23:59:59 GMT") > Some(200_000_000_000_000));
}

#[test]
fn what_cannot_be_read_waits_a_second() {
    for retry in [
        "",
        "-1",
        "soon",
        "next Tuesday, perhaps",
        "1e3",
        "inf",
        "NaN",
        "2 fortnights",
        "größe",
        "Mon, 99 Nov 2026 10:00:30 GMT",
        "2026-13-01T00:00:00Z",
        "Mon, 23 Nov 2026 10:00:30 XYZ",
        ",",
        ":",
        "PT",
    ] {
        assert_eq!(wait(retry), Some(1_000), "{retry}");
    }
}

#[test]
fn a_time_is_compared_with_the_clock_of_the_server() {
    for date in ["Fri, 20 Nov 2026 08:00:00 GMT", "Fri, 20 Nov 2026 08:00:00 +0000"] {
        let list = [("date", date), ("retry-after", "Fri, 20 Nov 2026 08:00:07 GMT")];
        assert_eq!(wait_of(&list, Refusal::Limited), Some(7_000));
    }
    // Ours has begun its second already: the wait is not cut to the whole second below.
    let now = SystemTime::UNIX_EPOCH + Duration::from_millis(NOW * 1_000 + 999);
    let list = headers(&[("retry-after", "Mon, 23 Nov 2026 10:00:03 GMT")]);
    assert_eq!(wait_at(&list, Refusal::Limited, now), Some(Duration::from_secs(3)));
}

#[test]
fn of_several_headers_the_longest_wait_counts() {
    for (list, expected) in [
        (&[("retry-after", "3"), ("retry-after", "5"), ("retry-after", "4")][..], 5_000),
        (&[("retry-after-ms", "350")], 350),
        (&[("retry-after-ms", "1350.5"), ("retry-after", "1")], 1_351),
        (&[("x-ms-retry-after-ms", "2500")], 2_500),
        (&[("x-ms-retry-after-ms", "12s")], 12_000),
        (&[("x-ratelimit-retry-after", "8")], 8_000),
        (&[("retry-after", "2"), ("ratelimit-reset", "60")], 2_000),
    ] {
        assert_eq!(wait_of(list, Refusal::Other), Some(expected), "{list:?}");
    }
}

#[test]
fn a_refusal_without_a_wait_waits_for_the_reset_of_its_quota() {
    for (list, expected) in [
        (&[("ratelimit-reset", "9")][..], Some(9_000)),
        (&[("x-ratelimit-reset", "1795428030")], Some(30_000)),
        (&[("x-ratelimit-reset", "1795428030123")], Some(31_000)),
        (&[("x-ratelimit-reset", "2026-11-23T10:00:30Z")], Some(30_000)),
        (&[("x-ratelimit-reset", "6m0s")], Some(360_000)),
        (&[("x-rate-limit-reset", "1795428060")], Some(60_000)),
        (&[("x-rate-limit-time-reset-ms", "4200")], Some(4_200)),
        (&[("ratelimit", r#""min";r=0;t=30"#)], Some(30_000)),
        (&[("ratelimit", r#""a,b;t=99";r=0;t=30"#)], Some(30_000)),
        (&[("ratelimit", r#""min";r=0;t=30, "hour";r=900;t=3000"#)], Some(30_000)),
        (&[("ratelimit", r#""min";r=0;t=30"#), ("ratelimit", r#""hour";r=0;t=3000"#)], Some(3_000_000)),
        (&[("ratelimit", r#""min";r=3;t=12"#)], Some(12_000)),
        (&[("ratelimit", "limit=100, remaining=0, reset=9")], Some(9_000)),
        (&[("ratelimit", "nonsense")], Some(1_000)),
        (&[("x-ratelimit-reset", "nonsense")], Some(1_000)),
        (&[("x-ratelimit-reset", "0")], None),
        (&[("x-ratelimit-remaining", "0")], None),
    ] {
        assert_eq!(wait_of(list, Refusal::Limited), expected, "{list:?}");
        assert_eq!(wait_of(list, Refusal::Unavailable), expected, "{list:?}");
        assert_eq!(wait_of(list, Refusal::Other), None, "{list:?}");
    }
    let left = [("x-ratelimit-reset", "1795431600"), ("x-ratelimit-remaining", "4999")];
    assert_eq!(wait_of(&left, Refusal::Unavailable), None);
    assert_eq!(wait_of(&left, Refusal::Limited), Some(3_600_000));
}

proptest! {
    #[test]
    fn no_value_makes_it_panic_or_wait_longer_than_the_maximum(
        bytes in prop::collection::vec(any::<u8>(), 0..60), text in "[0-9a-zA-Z:., +-]{0,40}",
        name in prop::sample::select(vec!["retry-after", "x-ratelimit-reset", "ratelimit", "retry-after-ms", "date"])) {
        for bytes in [bytes, text.into_bytes()] {
            let Ok(value) = HeaderValue::from_bytes(&bytes) else { continue };
            let mut headers = HeaderMap::new();
            headers.insert(HeaderName::from_static(name), value);
            prop_assert!(retry_after(&headers, Refusal::Limited).is_none_or(|wait| wait <= WAIT_MAX));
        }
    }

    #[test]
    fn digits_of_any_length_stay_below_the_maximum(digits in "[0-9]{1,400}(\\.[0-9]{0,9})?") {
        let wait = wait_at(&headers(&[("retry-after", &digits)]), Refusal::Limited, SystemTime::UNIX_EPOCH);
        prop_assert!(wait.is_none_or(|wait| wait <= WAIT_MAX));
    }

    #[test]
    fn a_larger_number_never_waits_less(one in 0_u64..1_500_000_000, other in 0_u64..1_500_000_000,
        fraction in 0_u32..1_000) {
        let (less, more) = (one.min(other), one.max(other));
        prop_assert!(wait(&less.to_string()) <= wait(&more.to_string()));
        let with_fraction = format!("{less}.{fraction:03}");
        prop_assert!(wait(&less.to_string()) <= wait(&with_fraction));
        let (short, long) = (format!("{less}ms"), format!("{less}s"));
        prop_assert!(wait(&short) <= wait(&long));
    }
}

//! Encodings come back, old ones stay readable, and newer ones are refused.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use price_cache_domain::{
    Amount, Attempt, Attempts, CachedPrice, Currency, Entry, Failure, FailureClass, MarketId, MarketPlan,
    Outcome, Pass, PauseReason, Plan, Price, ProductId, RetryFilter, Run, RunFailure, RunFailureClass, RunId,
    RunRecord, RunStatus, Timestamp, Visit,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::{
    Just, ProptestConfig, Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest,
};

use super::*;
use crate::seal::{CHECKSUM_BYTES, WITHOUT_CHECKSUM, checksum};

const KEY: &[u8] = b"US\0p1";

/// A record as the version before wrote it.
fn without_checksum(sealed: &[u8]) -> Vec<u8> {
    [&[WITHOUT_CHECKSUM], &sealed[1 + CHECKSUM_BYTES..]].concat()
}

fn durations() -> impl Strategy<Value = Duration> {
    prop_oneof![
        (0_u64..10_000_000_000).prop_map(Duration::from_nanos),
        (any::<u64>(), 0_u32..1_000_000_000).prop_map(|(seconds, nanos)| Duration::new(seconds, nanos)),
    ]
}

fn times() -> impl Strategy<Value = i64> {
    prop_oneof![any::<i64>(), 1_767_225_600_000_i64..1_767_325_600_000]
}

fn failures() -> impl Strategy<Value = Failure> {
    (0..FailureClass::ALL.len(), any::<String>())
        .prop_map(|(class, message)| Failure::new(FailureClass::ALL[class], message))
}

fn attempts() -> impl Strategy<Value = Attempts> {
    let attempt = (times(), durations(), any::<Option<u16>>(), option::of(failures())).prop_map(
        |(at, duration, status_code, failure)| Attempt {
            at: Timestamp::from_millis(at),
            duration,
            status_code,
            failure,
        },
    );
    (vec(attempt, 1..=8), 0_u32..4, option::of(durations())).prop_map(|(kept, more, busy)| {
        let busy = busy.unwrap_or_else(|| {
            kept.iter().fold(Duration::ZERO, |sum, attempt| sum.saturating_add(attempt.duration))
        });
        let requests = u32::try_from(kept.len()).unwrap() + more;
        Attempts::from_parts(requests, busy, kept).unwrap()
    })
}

fn prices() -> impl Strategy<Value = CachedPrice> {
    let amounts = prop_oneof![
        "(0|[1-9][0-9]{0,18})(\\.[0-9]{1,18})?",
        Just("99999999999999999999999999999999999999".to_owned())
    ];
    let currencies = proptest::sample::select(vec!["EUR", "USD", "JPY", "KWD", "VEF"]);
    (amounts, currencies, times(), any::<u64>(), any::<Option<String>>()).prop_map(
        |(amount, currency, fetched_at, run, etag)| CachedPrice {
            price: Price {
                amount: Amount::parse(&amount).unwrap(),
                currency: Currency::parse(currency).unwrap(),
            },
            fetched_at: Timestamp::from_millis(fetched_at),
            run: RunId::from_number(run),
            etag,
        },
    )
}

fn entries() -> impl Strategy<Value = Entry> {
    (option::of(prices()), any::<u64>(), any::<u32>(), any::<bool>(), attempts()).prop_map(
        |(price, run, pass, was_retried_at_end, attempts)| {
            let run = RunId::from_number(run);
            Entry { price, outcome: Outcome { run, pass, was_retried_at_end, attempts } }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_entry_comes_back(entry in entries()) {
        let bytes = encode_entry(KEY, &entry).unwrap();
        prop_assert_eq!(decode_entry(KEY, &bytes).unwrap(), entry);
    }

    #[test]
    fn what_is_damaged_is_an_error(
        entry in entries(), at in any::<proptest::sample::Index>(), flip in 1..=u8::MAX, cut in any::<bool>()
    ) {
        let mut bytes = encode_entry(KEY, &entry).unwrap();
        let at = at.index(bytes.len());
        if cut {
            bytes.truncate(at);
        } else {
            bytes[at] ^= flip;
        }
        // A version that looks older or newer is the only thing the checksum does not cover.
        prop_assert!(decode_entry(KEY, &bytes).is_err() || at == 0);
    }

    #[test]
    fn the_entry_of_another_key_is_an_error(entry in entries(), other in vec(any::<u8>(), 0..20)) {
        let bytes = encode_entry(KEY, &entry).unwrap();
        prop_assert!(decode_entry(&other, &bytes).is_err() || other == KEY);
    }

    #[test]
    fn damage_without_a_checksum_is_an_error_or_another_entry_but_never_a_panic(
        entry in entries(), at in any::<proptest::sample::Index>(), to in any::<u8>(), cut in any::<bool>()
    ) {
        let mut bytes = without_checksum(&encode_entry(KEY, &entry).unwrap());
        let at = at.index(bytes.len());
        if cut {
            bytes.truncate(at);
            prop_assert!(decode_entry(KEY, &bytes).is_err());
        } else {
            bytes[at] = to;
            let _ = decode_entry(KEY, &bytes);
        }
    }

    #[test]
    fn every_plan_page_comes_back(ids in vec("[^\\p{Cc}]{1,40}", 0..50)) {
        let ids: Vec<_> = ids.iter().map(|id| ProductId::new(id).unwrap()).collect();
        prop_assert_eq!(decode_plan_page(KEY, &encode_plan_page(KEY, &ids).unwrap()).unwrap(), ids);
    }
}

fn success() -> Entry {
    let attempt = Attempt {
        at: Timestamp::from_millis(1_767_229_200_000),
        duration: Duration::from_nanos(123_456_789),
        status_code: Some(200),
        failure: None,
    };
    let price = Price { amount: Amount::parse("19.99").unwrap(), currency: Currency::parse("EUR").unwrap() };
    let run = RunId::from_number(1_767_225_600_000);
    let fetched = price_cache_domain::Fetched::Price(price_cache_domain::Quote { price, etag: None });
    Entry::priced(None, Visit::first(run, 1), None, attempt, fetched)
}

fn failure() -> Entry {
    let earlier = success();
    let attempt = |at, class, status_code| Attempt {
        at: Timestamp::from_millis(at),
        duration: Duration::from_secs(3),
        status_code,
        failure: Some(Failure::new(class, "no answer within 3 s")),
    };
    let attempts = Attempts::first(attempt(1_767_312_100_000, FailureClass::Timeout, None)).then(attempt(
        1_767_312_105_000,
        FailureClass::ServerError,
        Some(503),
    ));
    let mut entry =
        Entry::failed(Some(&earlier), Visit::first(RunId::from_number(1_767_312_000_000), 2), attempts);
    if let Some(price) = &mut entry.price {
        price.etag = Some("\"v1\"".to_owned());
    }
    entry
}

fn page() -> Vec<ProductId> {
    ["A-1", "Standard_NM16ads_MA35D  ", "größe/東京"].iter().map(|id| ProductId::new(id).unwrap()).collect()
}

fn run(status: RunStatus) -> Run {
    let market = |id, list| MarketPlan { market: MarketId::new(id).unwrap(), list, pages: 2, total: 700 };
    let retry =
        RetryFilter { market: Some(MarketId::new("US").unwrap()), class: Some(FailureClass::Timeout) };
    let record = RunRecord {
        status,
        run: Some(RunId::from_number(1_767_225_600_000)),
        started_at: Some(Timestamp::from_millis(1_767_225_600_000)),
        since: Some(Timestamp::from_millis(1_767_229_200_000)),
        active_before: Duration::from_millis(3_600_000),
        pass: Pass { number: 2, unfinished: true, retry: Some(retry) },
        logs_cleared_at: Some(Timestamp::from_millis(1_767_226_000_000)),
        plan: Some(Arc::new(Plan::new(vec![market("US", 0), market("DE", 1)]).unwrap())),
        pause_reason: Some(PauseReason::Interrupted),
        failure: Some(RunFailure {
            class: RunFailureClass::Storage,
            message: "the disk is full".to_owned(),
            retry_at: Some(Timestamp::from_millis(1_767_229_260_000)),
        }),
    };
    Run::try_from(record).unwrap()
}

/// Reads a fixture: bytes as pairs of hex digits. Written once with the version in their path and never
/// changed, so that what an earlier program wrote stays readable.
fn fixture(version: u8, name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(format!("v{version}"));
    let path = folder.join(name).with_extension("hex");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(byte).collect()
}

#[test]
fn every_version_of_every_kind_of_record_is_read() {
    for version in WITHOUT_CHECKSUM..=FORMAT_VERSION {
        let fixture = |name: &str| fixture(version, name);
        assert_eq!(decode_entry(KEY, &fixture("entry-success")), Ok(success()));
        assert_eq!(decode_entry(KEY, &fixture("entry-failure")), Ok(failure()));
        assert_eq!(decode_plan_page(KEY, &fixture("plan-page")), Ok(page()));
        for status in RunStatus::ALL {
            let name = format!("run-{}", status.name().to_lowercase());
            assert_eq!(decode_run(&fixture(&name)), Ok(run(status)), "{name} of version {version}");
        }
    }
}

#[test]
fn a_fetched_price_takes_about_fifty_bytes() {
    let bytes = encode_entry(KEY, &success()).unwrap().len();
    assert!(bytes <= 50, "{bytes} bytes");
}

#[test]
fn a_newer_version_is_refused_and_an_added_field_is_skipped() {
    let mut newer = encode_entry(KEY, &success()).unwrap();
    newer[0] = 3;
    assert_eq!(decode_entry(KEY, &newer), Err(DecodeError::Newer(3)));
    // The map grows by one field, number 23, with a text of two letters.
    let mut record = without_checksum(&encode_entry(KEY, &success()).unwrap()).split_off(1);
    record[0] += 1;
    record.extend_from_slice(&[23, 0x62, b'h', b'i']);
    let added = [&[FORMAT_VERSION], checksum(KEY, &record).as_slice(), &record].concat();
    assert_eq!(decode_entry(KEY, &added), Ok(success()));
}

#[test]
fn what_is_no_record_says_why() {
    let error = |bytes: &[u8]| match decode_entry(KEY, bytes) {
        Err(DecodeError::Damaged(reason)) => reason,
        other => panic!("{other:?}"),
    };
    assert_eq!(error(&[]), "it is empty");
    assert!(error(&[0]).contains("format 0"));
    let mut longer = encode_entry(KEY, &success()).unwrap();
    longer.push(0);
    assert_eq!(error(&longer), "its checksum is wrong, or it belongs to another key");
    assert_eq!(error(&without_checksum(&longer)), "there are bytes after its end");
    assert_eq!(error(&longer[..4]), "it ends within its checksum");
    let damaged = DecodeError::damaged("cut off").of(|| "the run".to_owned());
    let told =
        "a stored record is damaged: the run: cut off; stop the server and run `price-cache doctor --repair`";
    assert_eq!(damaged.to_string(), told);
}

//! Upstreams that limit the rate of requests, each in its own way.

use std::collections::VecDeque;
use std::time::Duration;

use price_cache_domain::{FailureClass, Fault};

use super::world::Answers;

/// Status 429, with or without `Retry-After`.
pub(super) fn refused(retry_after: Option<u64>) -> Fault {
    let retry_after = retry_after.map(Duration::from_secs);
    Fault { retry_after, ..Fault::new(FailureClass::RateLimited, "status 429").with_status(429) }
}

/// A bucket of `burst` tokens, filled with `rate` per second.
pub(super) fn bucket(rate: f64, burst: f64, retry_after: Option<u64>) -> Answers {
    let (mut tokens, mut last) = (burst, Duration::ZERO);
    Box::new(move |at| {
        tokens = (tokens + (at - last).as_secs_f64() * rate).min(burst);
        last = at;
        if tokens < 1.0 {
            return Err(refused(retry_after));
        }
        tokens -= 1.0;
        Ok(())
    })
}

/// At most `count` in any stretch of `window`; refused requests do not count.
pub(super) fn sliding_window(count: usize, window: Duration, retry_after: Option<u64>) -> Answers {
    let mut served = VecDeque::new();
    Box::new(move |at| {
        while served.front().is_some_and(|first| at - *first >= window) {
            served.pop_front();
        }
        if served.len() >= count {
            return Err(refused(retry_after));
        }
        served.push_back(at);
        Ok(())
    })
}

/// At most `count` in each window of the clock.
pub(super) fn fixed_window(count: u32, window: Duration, retry_after: Option<u64>) -> Answers {
    let (mut present, mut served) = (0, 0);
    Box::new(move |at| {
        let number = at.as_millis() / window.as_millis();
        if number != present {
            (present, served) = (number, 0);
        }
        served += 1;
        if served > count { Err(refused(retry_after)) } else { Ok(()) }
    })
}

/// Refuses one request in `one_in`, at any rate.
pub(super) fn by_chance(one_in: u64, retry_after: Option<u64>) -> Answers {
    let mut random = fastrand::Rng::with_seed(7);
    Box::new(move |_| if random.u64(..one_in) == 0 { Err(refused(retry_after)) } else { Ok(()) })
}

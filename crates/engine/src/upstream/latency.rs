//! Notices when the answers of a market take much longer than usual, and slows that market down.

use std::time::Duration;

/// Answers in the mean of the baseline: a change that lasts for about as many becomes the baseline.
const BASELINE_ANSWERS: f64 = 256.0;
/// Answers in the present mean: enough that one slow answer does not count as a slow upstream.
const PRESENT_ANSWERS: f64 = 16.0;
/// Latency below this multiple of the baseline is normal: with one request in flight the pace halves by itself there.
const NORMAL_MULTIPLE: f64 = 2.0;
/// The shortest delay: timers keep no shorter one.
const DELAY_MIN: Duration = Duration::from_millis(5);
/// The longest delay after one answer.
const DELAY_MAX: Duration = Duration::from_secs(10);

/// Tracks the latency of one market. Means are geometric, so that one very slow answer counts for little.
#[derive(Debug, Default)]
pub(super) struct Latency {
    baseline: Mean,
    present: Mean,
}

impl Latency {
    /// Counts a successful answer and returns the delay before the next request. One market never has two requests in
    /// flight, so its pace halves by itself when answers take twice as long. Where they take longer still, it falls with
    /// the square: at four times the baseline, an eighth of the usual pace.
    pub(super) fn observe(&mut self, latency: Duration) -> Duration {
        let latency_ln = latency.as_secs_f64().max(1e-6).ln();
        self.baseline.add(latency_ln, BASELINE_ANSWERS);
        self.present.add(latency_ln, PRESENT_ANSWERS);
        if self.baseline.count < PRESENT_ANSWERS {
            return Duration::ZERO;
        }
        let times = (self.present.mean - self.baseline.mean).exp();
        let delay = self.present.mean.exp() * (times / NORMAL_MULTIPLE - 1.0);
        let delay = Duration::try_from_secs_f64(delay).unwrap_or_default().min(DELAY_MAX);
        if delay < DELAY_MIN { Duration::ZERO } else { delay }
    }
}

/// A plain mean at first, an exponentially weighted one once there are enough values.
#[derive(Debug, Default)]
struct Mean {
    count: f64,
    mean: f64,
}

impl Mean {
    fn add(&mut self, value: f64, count_max: f64) {
        self.count = (self.count + 1.0).min(count_max);
        self.mean += (value - self.mean) / self.count;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delays(latency: &mut Latency, latency_ms: u64, answers: usize) -> Vec<Duration> {
        (0..answers).map(|_| latency.observe(Duration::from_millis(latency_ms))).collect()
    }

    #[test]
    fn steady_and_slightly_slower_answers_and_a_single_long_one_bring_no_delay() {
        let mut latency = Latency::default();
        let none = |delays: Vec<Duration>| delays.iter().all(Duration::is_zero);
        assert!(none(delays(&mut latency, 40, 300)));
        assert!(none(delays(&mut latency, 4_000, 1)));
        assert!(none(delays(&mut latency, 40, 50)));
        assert!(none(delays(&mut latency, 70, 300)));
    }

    #[test]
    fn much_slower_answers_bring_a_delay_until_they_are_the_baseline() {
        let mut latency = Latency::default();
        delays(&mut latency, 40, 300);
        let slow = delays(&mut latency, 400, 1_000);
        let longest = slow.iter().max().copied().unwrap_or_default();
        assert!((Duration::from_millis(500)..Duration::from_millis(1_000)).contains(&longest), "{longest:?}");
        assert!(slow[500..].iter().all(Duration::is_zero), "the slow latency is the baseline now");
        let worst = delays(&mut latency, 60_000, 40).into_iter().max().unwrap_or_default();
        assert_eq!(worst, DELAY_MAX);
    }
}

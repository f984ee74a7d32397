//! Whether a market's answers take longer than usual, and how much rest the upstream gets for it.

use std::time::Duration;

/// So many answers make up what is usual. A lasting change is usual after about as many.
const USUAL_ANSWERS: f64 = 256.0;
/// So many make up what is so now.
const PRESENT_ANSWERS: f64 = 16.0;
/// Up to so many times the usual is nothing to be said about.
const STRAINED_TIMES: f64 = 2.0;
/// A shorter rest than timers can keep is none.
const REST_MIN: Duration = Duration::from_millis(5);
/// The longest rest after one answer.
const REST_MAX: Duration = Duration::from_secs(10);

/// How long the answers take. Means are geometric, so that one very slow answer counts for little.
#[derive(Debug, Default)]
pub(super) struct Strain {
    usual: Mean,
    present: Mean,
}

impl Strain {
    /// Takes note of a good answer; tells how long to leave the upstream alone after it. One market never has
    /// two requests in flight, so its pace halves by itself when answers take twice as long. Where they take
    /// longer still, it falls with the square: at four times the usual latency, an eighth of the usual pace.
    pub(super) fn answered(&mut self, latency: Duration) -> Duration {
        let latency_ln = latency.as_secs_f64().max(1e-6).ln();
        self.usual.add(latency_ln, USUAL_ANSWERS);
        self.present.add(latency_ln, PRESENT_ANSWERS);
        if self.usual.count < PRESENT_ANSWERS {
            return Duration::ZERO;
        }
        let times = (self.present.mean - self.usual.mean).exp();
        let rest = self.present.mean.exp() * (times / STRAINED_TIMES - 1.0);
        let rest = Duration::try_from_secs_f64(rest).unwrap_or_default().min(REST_MAX);
        if rest < REST_MIN { Duration::ZERO } else { rest }
    }
}

/// The plain mean at first, an exponentially weighted one once there are enough values.
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

    fn rests(strain: &mut Strain, latency_ms: u64, answers: usize) -> Vec<Duration> {
        (0..answers).map(|_| strain.answered(Duration::from_millis(latency_ms))).collect()
    }

    #[test]
    fn steady_and_slightly_slower_answers_and_a_single_long_one_bring_no_rest() {
        let mut strain = Strain::default();
        let quiet = |rests: Vec<Duration>| rests.iter().all(Duration::is_zero);
        assert!(quiet(rests(&mut strain, 40, 300)));
        assert!(quiet(rests(&mut strain, 4_000, 1)));
        assert!(quiet(rests(&mut strain, 40, 50)));
        assert!(quiet(rests(&mut strain, 70, 300)));
    }

    #[test]
    fn an_upstream_in_trouble_gets_rest_and_what_lasts_becomes_usual() {
        let mut strain = Strain::default();
        rests(&mut strain, 40, 300);
        let slow = rests(&mut strain, 400, 1_000);
        let longest = slow.iter().max().copied().unwrap_or_default();
        assert!((Duration::from_millis(500)..Duration::from_millis(1_000)).contains(&longest), "{longest:?}");
        assert!(slow[500..].iter().all(Duration::is_zero), "speed is earned back");
        let worst = rests(&mut strain, 60_000, 40).into_iter().max().unwrap_or_default();
        assert_eq!(worst, REST_MAX);
    }
}

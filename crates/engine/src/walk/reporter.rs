//! Carries reports to the task that owns the run.

use tokio::sync::mpsc;

use crate::walk::activity::Activity;
use crate::walk::report::Report;

/// Sends reports. Clones send to the same task.
#[derive(Clone, Debug)]
pub(crate) struct Reporter(mpsc::Sender<Report>);

impl Reporter {
    /// Creates a reporter and the receiver of its reports. Senders of more than `waiting_max` wait.
    pub(crate) fn channel(waiting_max: usize) -> (Self, mpsc::Receiver<Report>) {
        let (sender, receiver) = mpsc::channel(waiting_max);
        (Self(sender), receiver)
    }

    /// Reports something; the owner may be gone at the end of the program.
    pub(crate) async fn report(&self, report: Report) {
        let _ = self.0.send(report).await;
    }

    /// Reports what a market is doing now.
    pub(crate) async fn activity(&self, market: usize, activity: Activity) {
        self.report(Report::MarketActivity { market, activity }).await;
    }
}

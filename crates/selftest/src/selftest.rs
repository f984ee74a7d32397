//! A self-test: as many stores and runs as the number of kills takes, a result, and a folder to look into where a promise
//! was broken.

use std::fmt;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::folder::Folder;
use crate::killer::Killer;
use crate::options::SelfTest;
use crate::plan::Plan;
use crate::{Broken, Figures};

/// How long the disk takes for a small write at most, from a few tries: what an upstream must be slower than for a kill
/// to cost one record per market and no more.
///
/// # Errors
/// The disk refuses.
pub fn disk_time() -> io::Result<Duration> {
    const TRIES: usize = 20;
    const BYTES: usize = 4096;
    let mut file = tempfile::tempfile()?;
    let mut slowest = Duration::ZERO;
    for _ in 0..TRIES {
        let begun = Instant::now();
        file.write_all(&[7; BYTES])?;
        file.sync_data()?;
        slowest = slowest.max(begun.elapsed());
    }
    Ok(slowest)
}

impl SelfTest {
    /// Does it, and tells the figures after each kill. Dropping the future ends every program and removes the folder.
    ///
    /// # Errors
    /// A promise was broken, or the test could not be done.
    pub async fn run(&self, watch: &mut dyn FnMut(&Figures)) -> Result<Figures, Failed> {
        let begun = Instant::now();
        let mut figures =
            Figures { seed: self.seed, active_markets_max: self.parallel_markets, ..Figures::default() };
        let folder = Folder::new().map_err(|error| Failed {
            figures: figures.clone(),
            reason: anyhow::Error::new(error).context("could not make a temporary folder"),
            folder: None,
        })?;
        let small_kills = self.profile.of_small_stores(self.kills);
        let mut random = fastrand::Rng::with_seed(self.seed);
        while figures.kills < self.kills {
            let left = self.kills - figures.kills;
            let plan = match left.checked_sub(small_kills) {
                Some(walk_kills @ 1..) => Plan::walk(self, walk_kills),
                Some(0) | None => Plan::small(self, left, &mut random),
            };
            let run_folder = folder.path().join(format!("run-{}", figures.stores + 1));
            let killed = match Killer::new(self, plan, run_folder, &mut figures).await {
                Ok(killer) => killer.run(watch).await,
                Err(error) => Err(error),
            };
            figures.took = begun.elapsed();
            if let Err(reason) = killed {
                if let Some(broken) = reason.downcast_ref::<Broken>() {
                    figures.note(broken);
                }
                return Err(Failed { figures, reason, folder: Some(folder.keep()) });
            }
        }
        Ok(figures)
    }
}

/// Why a self-test did not end well.
#[derive(Debug)]
pub struct Failed {
    /// The figures until then.
    pub figures: Figures,
    /// What happened.
    pub reason: anyhow::Error,
    /// The folder with configuration, store and log, which is kept.
    pub folder: Option<PathBuf>,
}

impl Failed {
    /// The promise that was broken; `None` when the test could not be done.
    #[must_use]
    pub fn broken(&self) -> Option<&Broken> {
        self.reason.downcast_ref()
    }

    /// Removes the folder.
    pub fn discard(self) {
        drop(self.folder.map(Folder::at));
    }
}

impl fmt::Display for Failed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:#}; until then {}", self.reason, self.figures)?;
        match &self.folder {
            Some(folder) => write!(formatter, "; kept for inspection: {}", folder.display()),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Failed {}

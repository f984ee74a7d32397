//! The groups of operations in the description of the API.

/// A group of operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tag {
    Run,
    Prices,
    Monitoring,
    Pages,
}

impl Tag {
    pub(super) const ALL: [Self; 4] = [Self::Run, Self::Prices, Self::Monitoring, Self::Pages];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Run => "The run",
            Self::Prices => "Prices",
            Self::Monitoring => "Monitoring",
            Self::Pages => "Pages",
        }
    }

    pub(super) const fn description(self) -> &'static str {
        match self {
            Self::Run => "Start, stop and follow the walk over all markets and products.",
            Self::Prices => "What the cache holds.",
            Self::Monitoring => "Probes and figures for other programs.",
            Self::Pages => "What a browser shows, and this description.",
        }
    }
}

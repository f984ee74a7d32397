//! Why a catalogue could not be made.

/// Why a catalogue could not be made.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    /// The text does not start with the expected column names.
    #[error("the first line of the prices is not `{expected}`: {found:?}")]
    Header {
        /// The line that was expected.
        expected: &'static str,
        /// The line that was found.
        found: String,
    },
    /// A line has another number of fields, or a quote that does not end.
    #[error("line {line} of the prices does not have the fields market, product, currency and amount")]
    Fields {
        /// The number of the line, from 1.
        line: usize,
    },
    /// An amount is not a JSON number, so it could not be served digit by digit.
    #[error("line {line} of the prices has an amount that is not a JSON number: {amount:?}")]
    Amount {
        /// The number of the line, from 1.
        line: usize,
        /// The text found in the place of an amount.
        amount: String,
    },
    /// The compressed copy in the program could not be read.
    #[error("decompressing the embedded prices of {data_set}")]
    Embedded {
        /// The name of the data set.
        data_set: &'static str,
        /// What the decompressor said.
        source: std::io::Error,
    },
    /// There is no data set of this name.
    #[error(
        "there is no data set {name:?}: use azure-vm, big-mac, app-store-tiers or synthetic:MARKETSxPRODUCTS"
    )]
    UnknownDataSet {
        /// The name that was asked for.
        name: String,
    },
}

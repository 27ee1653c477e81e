//! The prices of a store that is paid by use.

/// The prices of a store, in dollars.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Prices {
    /// For a GiB that is stored for a month.
    pub storage: f64,
    /// For 1,000 creates or listings.
    pub writes: f64,
    /// For 1,000 reads, and other requests that neither write nor list. Deletes are free.
    pub reads: f64,
}

impl Prices {
    /// The list prices of Amazon S3 Standard in us-east-1, of 2025.
    pub const S3_STANDARD: Self = Self { storage: 0.023, writes: 0.005, reads: 0.000_4 };

    /// Sets the prices of a GiB for a month, and of 1,000 creates or listings. Reads keep the
    /// price of [`Prices::S3_STANDARD`].
    pub fn new(storage: f64, writes: f64) -> Self {
        Self { storage, writes, ..Self::S3_STANDARD }
    }

    /// Sets the price of 1,000 reads.
    #[must_use]
    pub fn with_reads(mut self, reads: f64) -> Self {
        self.reads = reads;
        self
    }
}

impl Default for Prices {
    fn default() -> Self {
        Self::S3_STANDARD
    }
}

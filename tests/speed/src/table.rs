//! The results: lines of a table, each with a baseline.

use std::fmt::Write as _;

/// The rule for a measured value.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Goal {
    /// The ratio to the baseline is at most this.
    RatioAtMost(f64),
    /// The ratio to the baseline is at least this.
    RatioAtLeast(f64),
    /// The value itself is at most this.
    AtMost(f64),
    /// None: the figure is only watched.
    Watched,
}

/// Values of several runs, in one unit.
#[derive(Clone, Debug, Default)]
pub(crate) struct Values(Vec<f64>);

/// A comparison of interleaved runs.
pub(crate) struct Line {
    pub(crate) what: String,
    pub(crate) unit: &'static str,
    pub(crate) values: Values,
    pub(crate) baseline: String,
    pub(crate) base: Values,
    pub(crate) goal: Goal,
}

impl Values {
    pub(crate) fn push(&mut self, value: f64) {
        self.0.push(value);
    }

    /// Returns the value in the middle; none without values.
    fn median(&self) -> Option<f64> {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        sorted.get(sorted.len() / 2).copied()
    }

    /// Returns the ratios of values of the same runs.
    fn ratios(&self, base: &Self) -> Self {
        Self(self.0.iter().zip(&base.0).map(|(value, base)| value / base).collect())
    }

    /// Returns the median, and the range of several different values.
    fn shown(&self) -> String {
        let Some(median) = self.median() else { return "not measured".to_owned() };
        let least = self.0.iter().copied().fold(f64::INFINITY, f64::min);
        let most = self.0.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        match number(least) == number(most) {
            true => number(median),
            false => format!("{} ({} to {})", number(median), number(least), number(most)),
        }
    }
}

impl FromIterator<f64> for Values {
    fn from_iter<I: IntoIterator<Item = f64>>(values: I) -> Self {
        Self(values.into_iter().collect())
    }
}

impl Goal {
    /// Returns the last column of a measured line.
    fn judged(self, value: f64, ratio: f64) -> &'static str {
        let is_met = match self {
            Self::RatioAtMost(most) => ratio <= most,
            Self::RatioAtLeast(least) => ratio >= least,
            Self::AtMost(most) => value <= most,
            Self::Watched => return "",
        };
        if is_met { "yes" } else { "**no**" }
    }

    fn shown(self, unit: &str) -> String {
        match self {
            Self::RatioAtMost(most) => format!("ratio at most {most}"),
            Self::RatioAtLeast(least) => format!("ratio at least {least}"),
            Self::AtMost(most) => format!("at most {most} {unit}"),
            Self::Watched => "none".to_owned(),
        }
    }
}

impl Line {
    /// Returns the line as a row of Markdown.
    pub(crate) fn markdown(&self, row: &str) -> String {
        let ratio = self.values.ratios(&self.base);
        let met = match (self.values.median(), ratio.median()) {
            (Some(value), Some(ratio)) => self.goal.judged(value, ratio),
            _ => "not measured",
        };
        format!(
            "| `{row}` | {}, {unit} | {} | {} | {} | {} | {} | {met} |",
            self.what,
            self.values.shown(),
            self.baseline,
            self.base.shown(),
            ratio.shown(),
            self.goal.shown(self.unit),
            unit = self.unit,
        )
    }
}

/// Returns a row of Markdown for what was not measured.
pub(crate) fn not_measured(row: &str, what: &str, reason: &str) -> String {
    let mut line = format!("| `{row}` | {what}: {reason} |");
    for _ in 0..6 {
        let _ = write!(line, " not measured |");
    }
    line
}

/// The heads of the columns.
pub(crate) const HEAD: &str = "\
| row | measured | stratalog | baseline | its value | ratio | goal | met |
|---|---|---|---|---|---|---|---|";

/// Returns a number with three digits that count, and thousands separated.
fn number(value: f64) -> String {
    let whole = |value: f64| {
        let digits = format!("{value:.0}");
        let mut text = String::new();
        for (at, digit) in digits.chars().enumerate() {
            if at > 0 && (digits.len() - at).is_multiple_of(3) {
                text.push(',');
            }
            text.push(digit);
        }
        text
    };
    match value {
        _ if value >= 100.0 => whole(value),
        _ if value >= 10.0 => format!("{value:.1}"),
        _ if value >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

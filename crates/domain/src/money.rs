//! Exact money: the digits a source gave are the digits that come out. Nothing passes a float.

use std::fmt;

/// The most digits an amount may have, before and after the point together.
pub const AMOUNT_DIGITS_MAX: usize = 38;

/// Why a text is not an amount of money.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidAmount {
    /// Not a plain decimal number such as `19.99`.
    #[error("{start:?} is not a decimal number like 19.99")]
    NotDecimal {
        /// The first characters of what was found.
        start: String,
    },
    /// A price below zero, or minus zero.
    #[error("the amount {start} is negative")]
    Negative {
        /// The first characters of what was found.
        start: String,
    },
    /// More than [`AMOUNT_DIGITS_MAX`] digits once written out.
    #[error("the amount {start}... needs more than {AMOUNT_DIGITS_MAX} digits")]
    TooManyDigits {
        /// The first characters of what was found.
        start: String,
    },
    /// Minor units must be a whole number.
    #[error("minor units must be a whole number, found {start}")]
    FractionOfMinorUnit {
        /// The first characters of what was found.
        start: String,
    },
}

fn start_of(text: &str) -> String {
    text.chars().take(40).collect()
}

/// An amount of money that is zero or more, kept as decimal digits.
///
/// ```
/// use price_cache_domain::Amount;
///
/// assert_eq!(Amount::parse("0.024000")?.as_str(), "0.024000");
/// assert_eq!(Amount::parse("4e+06")?.as_str(), "4000000");
/// assert_eq!(Amount::from_minor_units("1999", 2)?.as_str(), "19.99");
/// assert!(Amount::parse("4,99").is_err());
/// # Ok::<(), price_cache_domain::InvalidAmount>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Amount(Box<str>);

impl Amount {
    /// Reads a number in the grammar of JSON (RFC 8259, section 6), as a JSON number's own text or
    /// as the content of a string. Digits, also trailing zeros, stay; an exponent is written out.
    pub fn parse(text: &str) -> Result<Self, InvalidAmount> {
        let number = Decimal::read(text)?;
        if !text.contains(['e', 'E']) {
            return Self::checked(text, text.to_owned());
        }
        // The point moves by the exponent; what is missing on either side is filled with zeros.
        let digits = format!("{}{}", number.whole, number.fraction);
        let whole_digits = i64::try_from(number.whole.len()).unwrap_or(i64::MAX);
        let point = whole_digits.saturating_add(number.exponent);
        Self::checked(text, place_point(text, &digits, point)?)
    }

    /// Reads a whole number of minor units, such as cents, of a currency with `exponent` decimals.
    pub fn from_minor_units(text: &str, exponent: u8) -> Result<Self, InvalidAmount> {
        let number = Decimal::read(text)?;
        if !number.fraction.is_empty() || number.exponent != 0 {
            return Err(InvalidAmount::FractionOfMinorUnit { start: start_of(text) });
        }
        let length = i64::try_from(number.whole.len()).unwrap_or(i64::MAX);
        Self::checked(text, place_point(text, number.whole, length - i64::from(exponent))?)
    }

    fn checked(given: &str, written: String) -> Result<Self, InvalidAmount> {
        let digits = written.bytes().filter(u8::is_ascii_digit).count();
        if digits > AMOUNT_DIGITS_MAX {
            return Err(InvalidAmount::TooManyDigits { start: start_of(given) });
        }
        Ok(Self(written.into_boxed_str()))
    }

    /// The digits, with a point where there is a fraction.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether every digit is a zero.
    pub fn is_zero(&self) -> bool {
        self.0.bytes().all(|byte| matches!(byte, b'0' | b'.'))
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// The parts of a JSON number, digits only.
struct Decimal<'a> {
    whole: &'a str,
    fraction: &'a str,
    exponent: i64,
}

impl<'a> Decimal<'a> {
    fn read(text: &'a str) -> Result<Self, InvalidAmount> {
        let not_decimal = || InvalidAmount::NotDecimal { start: start_of(text) };
        let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        let unsigned = text.strip_prefix('-').unwrap_or(text);
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => {
                let magnitude = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
                if !all_digits(magnitude) {
                    return Err(not_decimal());
                }
                // An exponent too large for its type is certainly too large for the digits allowed.
                let magnitude = magnitude.parse::<i64>().unwrap_or(i64::MAX);
                (mantissa, if exponent.starts_with('-') { -magnitude } else { magnitude })
            }
            None => (unsigned, 0),
        };
        let (whole, fraction) = match mantissa.split_once('.') {
            Some((whole, fraction)) if all_digits(fraction) => (whole, fraction),
            Some(_) => return Err(not_decimal()),
            None => (mantissa, ""),
        };
        let leading_zero = whole.len() > 1 && whole.starts_with('0');
        if !all_digits(whole) || leading_zero {
            return Err(not_decimal());
        }
        if text.starts_with('-') {
            return Err(InvalidAmount::Negative { start: start_of(text) });
        }
        Ok(Self { whole, fraction, exponent })
    }
}

/// Writes `digits` with the decimal point before the digit at `point`, without superfluous zeros in
/// front; `point` may lie outside of the digits.
fn place_point(given: &str, digits: &str, point: i64) -> Result<String, InvalidAmount> {
    let too_many = || InvalidAmount::TooManyDigits { start: start_of(given) };
    let shift = usize::try_from(point.unsigned_abs()).map_err(|_| too_many())?;
    if shift > AMOUNT_DIGITS_MAX || digits.len() > AMOUNT_DIGITS_MAX {
        return Err(too_many());
    }
    let written = if point <= 0 {
        format!("0.{}{digits}", "0".repeat(shift))
    } else if shift >= digits.len() {
        format!("{digits}{}", "0".repeat(shift - digits.len()))
    } else {
        format!("{}.{}", &digits[..shift], &digits[shift..])
    };
    let zeros = written.bytes().take_while(|byte| *byte == b'0').count();
    let whole = written.split('.').next().map_or(0, str::len);
    // At least one digit stays before the point.
    Ok(written[zeros.min(whole.saturating_sub(1))..].to_owned())
}

/// A text that is not a currency code.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not an ISO 4217 currency code like EUR")]
pub struct InvalidCurrency(pub String);

/// Codes that ISO 4217 has withdrawn (its list three) and the code list used here no longer has, or may
/// drop, with their decimals: historical prices still carry them.
#[rustfmt::skip]
const WITHDRAWN: [(&str, u8); 49] = [
    ("ADP", 0), ("AFA", 2), ("ANG", 2), ("ATS", 2), ("AZM", 2), ("BEF", 0), ("BGL", 2), ("BGN", 2),
    ("BYB", 0), ("BYR", 0), ("CSD", 2), ("CUC", 2), ("CYP", 2), ("DEM", 2), ("EEK", 2), ("ESP", 0),
    ("FIM", 2), ("FRF", 2), ("GHC", 2), ("GRD", 0), ("HRK", 2), ("IEP", 2), ("ITL", 0), ("LTL", 2),
    ("LUF", 0), ("LVL", 2), ("MGF", 0), ("MRO", 2), ("MTL", 2), ("MZM", 2), ("NLG", 2), ("PTE", 0),
    ("ROL", 2), ("RUR", 2), ("SDD", 2), ("SIT", 2), ("SKK", 2), ("SLL", 2), ("SRG", 2), ("STD", 2),
    ("TMM", 2), ("TPE", 0), ("TRL", 2), ("VEB", 2), ("VEF", 2), ("YUM", 2), ("ZMK", 2), ("ZWD", 2),
    ("ZWL", 2),
];

/// An ISO 4217 alphabetic currency code, in use or withdrawn.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency([u8; 3]);

impl Currency {
    /// Reads three letters that ISO 4217 lists, in upper or lower case.
    pub fn parse(code: &str) -> Result<Self, InvalidCurrency> {
        let invalid = || InvalidCurrency(start_of(code));
        let mut letters = <[u8; 3]>::try_from(code.as_bytes()).map_err(|_| invalid())?;
        letters.make_ascii_uppercase();
        let currency = Self(letters);
        let known = iso_currency::Currency::from_code(currency.code()).is_some()
            || WITHDRAWN.iter().any(|(withdrawn, _)| *withdrawn == currency.code());
        if known { Ok(currency) } else { Err(invalid()) }
    }

    /// The three letters.
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// How many decimals its minor unit stands for: 2 for EUR, 0 for JPY, none for gold.
    pub fn exponent(&self) -> Option<u8> {
        match WITHDRAWN.iter().find(|(withdrawn, _)| *withdrawn == self.code()) {
            Some((_, exponent)) => Some(*exponent),
            None => iso_currency::Currency::from_code(self.code())
                .and_then(|currency| currency.exponent())
                .and_then(|exponent| u8::try_from(exponent).ok()),
        }
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.code())
    }
}

/// An amount in a currency.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Price {
    /// How much, exactly.
    pub amount: Amount,
    /// Of what.
    pub currency: Currency,
}

impl fmt::Display for Price {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.amount, self.currency)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use proptest::prelude::{prop_assert_eq, proptest};

    fn parsed(text: &str) -> String {
        Amount::parse(text).unwrap().as_str().to_owned()
    }

    #[test]
    fn digits_stay_and_exponents_are_written_out() {
        for kept in ["0", "0.000000", "19.9", "0.024000", "2.939573529", "123456789012345678.12", "14999000"]
        {
            assert_eq!(parsed(kept), kept);
        }
        for (given, written) in [
            ("4e+06", "4000000"),
            ("1.5e-3", "0.0015"),
            ("2.50e1", "25.0"),
            ("12E-1", "1.2"),
            ("0e5", "0"),
            ("0.05e1", "0.5"),
            ("1e0", "1"),
        ] {
            assert_eq!(parsed(given), written, "{given}");
        }
    }

    #[test]
    fn what_is_not_an_amount_says_why() {
        for text in [
            "", "4,99", "NaN", "null", "1.", ".5", "01", "+1", "1e", "1e+", "0x1", " 1", "1 ", "--1",
            "1.2.3", "-",
        ] {
            assert!(matches!(Amount::parse(text), Err(InvalidAmount::NotDecimal { .. })), "{text:?}");
        }
        for text in ["-5", "-0", "-0.00", "-1e3"] {
            assert!(matches!(Amount::parse(text), Err(InvalidAmount::Negative { .. })), "{text:?}");
        }
        let endless = "9".repeat(100_000);
        for text in ["1e400", "1e-400", "1e99999999999999999999", endless.as_str()] {
            assert!(matches!(Amount::parse(text), Err(InvalidAmount::TooManyDigits { .. })));
        }
        assert!(Amount::parse(&endless).unwrap_err().to_string().len() < 120);
    }

    #[test]
    fn minor_units_become_decimals() {
        for (text, exponent, expected) in [
            ("1999", 2, "19.99"),
            ("5", 2, "0.05"),
            ("0", 2, "0.00"),
            ("600", 0, "600"),
            ("12345", 3, "12.345"),
            ("9007199254740993", 2, "90071992547409.93"),
        ] {
            assert_eq!(Amount::from_minor_units(text, exponent).unwrap().as_str(), expected);
        }
        assert!(Amount::from_minor_units("19.99", 2).is_err());
        assert!(Amount::from_minor_units("1e3", 2).is_err());
        assert!(Amount::from_minor_units("-1", 2).is_err());
    }

    #[test]
    fn currencies_in_use_and_withdrawn_are_known_and_others_are_not() {
        for (code, exponent) in [
            ("EUR", 2),
            ("JPY", 0),
            ("KWD", 3),
            ("HRK", 2),
            ("VEF", 2),
            ("VES", 2),
            ("EEK", 2),
            ("ANG", 2),
            ("DEM", 2),
            ("BGN", 2),
            ("ITL", 0),
            ("ESP", 0),
        ] {
            assert_eq!(Currency::parse(code).unwrap().exponent(), Some(exponent), "{code}");
        }
        for (code, expected) in [("eur", "EUR"), ("Usd", "USD"), ("dem", "DEM")] {
            assert_eq!(Currency::parse(code).unwrap().code(), expected);
        }
        for code in ["EURO", "XYZ", "xyz", "", "€", " EUR"] {
            assert!(Currency::parse(code).is_err(), "{code:?}");
        }
    }

    #[test]
    fn withdrawn_codes_are_in_order_and_each_is_read() {
        assert!(WITHDRAWN.is_sorted());
        for (code, exponent) in WITHDRAWN {
            assert_eq!(Currency::parse(code).unwrap().exponent(), Some(exponent), "{code}");
        }
    }

    proptest! {
        // The oracle moves the point by whole-number arithmetic instead of on the text.
        #[test]
        fn written_out_exponents_have_the_same_value(mantissa in 0_u64..1_000_000_000, exponent in -9_i32..10) {
            let written = parsed(&format!("{mantissa}e{exponent}"));
            let (whole, fraction) = written.split_once('.').unwrap_or((&written, ""));
            let scaled: u128 = format!("{whole}{fraction:0<9}").parse().unwrap();
            let power = u32::try_from(exponent + 9).unwrap();
            prop_assert_eq!(scaled, u128::from(mantissa) * 10_u128.pow(power));
        }
    }
}

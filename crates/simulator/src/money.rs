//! Amounts as text: JSON numbers and exact minor units, without a number type in between.

/// Exponents beyond this are refused instead of written out.
const EXPONENT_MAX: i64 = 64;

/// Whether the text is a number as JSON writes it (RFC 8259).
pub(crate) fn is_json_number(text: &str) -> bool {
    Decimal::parse(text).is_some()
}

/// The amount in minor units of its currency (ISO 4217), as an integer's text. `None` when it is not exact:
/// 0.0240 EUR has no whole number of cents.
pub(crate) fn minor_units(amount: &str, currency: &str) -> Option<String> {
    let Decimal { negative, digits, exponent } = Decimal::parse(amount)?;
    let shift = exponent.checked_add(minor_digits(currency))?;
    let mut units = digits;
    if shift > EXPONENT_MAX {
        return None;
    }
    for _ in shift..0 {
        match units.pop() {
            Some('0') | None => {}
            Some(_) => return None,
        }
        if units.is_empty() {
            break;
        }
    }
    for _ in 0..shift {
        units.push('0');
    }
    let units = units.trim_start_matches('0');
    Some(match (units, negative) {
        ("", _) => "0".to_owned(),
        (units, true) => format!("-{units}"),
        (units, false) => units.to_owned(),
    })
}

/// How many digits a currency's minor unit has; two where ISO 4217 says nothing else.
fn minor_digits(currency: &str) -> i64 {
    match currency {
        "BIF" | "CLP" | "DJF" | "GNF" | "ISK" | "JPY" | "KMF" | "KRW" | "PYG" | "RWF" | "UGX" | "UYI"
        | "VND" | "VUV" | "XAF" | "XOF" | "XPF" => 0,
        "BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND" => 3,
        "CLF" | "UYW" => 4,
        _ => 2,
    }
}

/// digits * 10^exponent
struct Decimal {
    negative: bool,
    digits: String,
    exponent: i64,
}

impl Decimal {
    fn parse(text: &str) -> Option<Self> {
        let (negative, unsigned) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => {
                let bare = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
                if !all_digits(bare) {
                    return None;
                }
                (mantissa, exponent.parse::<i64>().ok()?)
            }
            None => (unsigned, 0),
        };
        let (whole, fraction) = match mantissa.split_once('.') {
            Some((_, fraction)) if !all_digits(fraction) => return None,
            Some((whole, fraction)) => (whole, fraction),
            None => (mantissa, ""),
        };
        if !all_digits(whole) || (whole.len() > 1 && whole.starts_with('0')) {
            return None;
        }
        let exponent = exponent.checked_sub(i64::try_from(fraction.len()).ok()?)?;
        Some(Self { negative, digits: format!("{whole}{fraction}"), exponent })
    }
}

fn all_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_numbers_are_told_from_other_text() {
        for number in ["0", "-0", "19.99", "0.024000", "4e+06", "1E-2", "16020000"] {
            assert!(is_json_number(number), "{number}");
        }
        for other in ["", "-", "01", ".5", "5.", "4,99", "NaN", "1e", "+1", "1e+", "0x1", " 1"] {
            assert!(!is_json_number(other), "{other}");
        }
    }

    #[test]
    fn minor_units_are_exact_or_absent() {
        let cases = [
            ("19.99", "EUR", Some("1999")),
            ("19.9", "ILS", Some("1990")),
            ("2.430000", "USD", Some("243")),
            ("0.024000", "USD", None),
            ("600", "JPY", Some("600")),
            ("600.5", "JPY", None),
            ("1.234", "KWD", Some("1234")),
            ("4e+06", "TRL", Some("400000000")),
            ("0.000000", "USD", Some("0")),
            ("-0.05", "EUR", Some("-5")),
            ("0e-99", "EUR", Some("0")),
            ("1e99", "EUR", None),
        ];
        for (amount, currency, expected) in cases {
            assert_eq!(minor_units(amount, currency).as_deref(), expected, "{amount} {currency}");
        }
    }
}

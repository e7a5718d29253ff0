//! Floats of 8 and 4 bits -> float32, which can hold all their values.
//!
//! Formats: Micikevicius et al., "FP8 Formats for Deep Learning" (2022) for `e5m2` and `e4m3fn`; Noune et al., "8-bit
//! Numerical Formats for Deep Neural Networks" (2022) for the `fnuz` ones; OCP Microscaling Formats 1.0 for `e2m1fn`. The
//! letters: `fn` has no infinities, `uz` one unsigned zero, whose sign bit alone then means NaN, `b11` a bias of 11.

/// A format of one sign bit, some exponent bits and some mantissa bits, in the lower bits of a byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Minifloat {
    /// `float8_e5m2`, which has infinities and NaN as in IEEE 754.
    E5M2,
    /// `float8_e4m3fn`.
    E4M3Fn,
    /// `float8_e4m3fnuz`.
    E4M3Fnuz,
    /// `float8_e4m3b11fnuz`.
    E4M3B11Fnuz,
    /// `float8_e5m2fnuz`.
    E5M2Fnuz,
    /// `float4_e2m1fn`, which has neither infinities nor NaN.
    E2M1Fn,
}

/// Which patterns are no numbers.
#[derive(Clone, Copy)]
enum Specials {
    /// The largest exponent: infinity, or NaN where the mantissa is not 0.
    Ieee,
    /// All ones but the sign: NaN.
    AllOnes,
    /// The sign alone: NaN.
    NegativeZero,
    None,
}

#[derive(Clone, Copy)]
struct FloatFormat {
    exponent_bits: u32,
    mantissa_bits: u32,
    bias: i32,
    specials: Specials,
}

const fn format(exponent_bits: u32, mantissa_bits: u32, bias: i32, specials: Specials) -> FloatFormat {
    FloatFormat { exponent_bits, mantissa_bits, bias, specials }
}

static E5M2: [f32; 256] = table(format(5, 2, 15, Specials::Ieee));
static E4M3_FN: [f32; 256] = table(format(4, 3, 7, Specials::AllOnes));
static E4M3_FNUZ: [f32; 256] = table(format(4, 3, 8, Specials::NegativeZero));
static E4M3_B11_FNUZ: [f32; 256] = table(format(4, 3, 11, Specials::NegativeZero));
static E5M2_FNUZ: [f32; 256] = table(format(5, 2, 16, Specials::NegativeZero));
static E2M1_FN: [f32; 256] = table(format(2, 1, 1, Specials::None));

impl Minifloat {
    /// The value of each byte. If a byte has bits above those of the format, any of them sets the sign, as in `ml_dtypes`.
    #[must_use]
    pub fn table(self) -> &'static [f32; 256] {
        match self {
            Self::E5M2 => &E5M2,
            Self::E4M3Fn => &E4M3_FN,
            Self::E4M3Fnuz => &E4M3_FNUZ,
            Self::E4M3B11Fnuz => &E4M3_B11_FNUZ,
            Self::E5M2Fnuz => &E5M2_FNUZ,
            Self::E2M1Fn => &E2M1_FN,
        }
    }
}

const fn table(format: FloatFormat) -> [f32; 256] {
    let mut values = [0.0; 256];
    let mut byte = 0;
    while byte < 256 {
        values[byte as usize] = value(byte, format);
        byte += 1;
    }
    values
}

const fn value(byte: u32, format: FloatFormat) -> f32 {
    let FloatFormat { exponent_bits, mantissa_bits, bias, specials } = format;
    let is_negative = byte >> (exponent_bits + mantissa_bits) != 0;
    let largest_exponent = (1 << exponent_bits) - 1;
    let exponent = byte >> mantissa_bits & largest_exponent;
    let nan = signed(is_negative, f32::from_bits(QUIET_NAN));
    let largest_mantissa = (1 << mantissa_bits) - 1;
    let mantissa = byte & largest_mantissa;
    match specials {
        Specials::Ieee if exponent == largest_exponent => {
            return if mantissa == 0 { signed(is_negative, f32::INFINITY) } else { nan };
        }
        Specials::AllOnes if exponent == largest_exponent && mantissa == largest_mantissa => return nan,
        Specials::NegativeZero if is_negative && exponent == 0 && mantissa == 0 => return nan,
        _ => {}
    }
    // Subnormal numbers have the exponent of the smallest normal number, and no leading one.
    let (leading, exponent) = if exponent == 0 { (0, 1) } else { (1, exponent.cast_signed()) };
    let significand = (leading << mantissa_bits | mantissa) as f32;
    signed(is_negative, significand * power_of_two(exponent - bias - mantissa_bits.cast_signed()))
}

const fn signed(is_negative: bool, magnitude: f32) -> f32 {
    if is_negative { -magnitude } else { magnitude }
}

const QUIET_NAN: u32 = 0x7fc0_0000;
const FLOAT32_BIAS: i32 = 127;
const FLOAT32_MANTISSA_BITS: u32 = 23;

const fn power_of_two(exponent: i32) -> f32 {
    f32::from_bits((exponent + FLOAT32_BIAS).cast_unsigned() << FLOAT32_MANTISSA_BITS)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bits of every value of every format, from `ml_dtypes` (`tests/fixtures/make_minifloats.py`).
    #[derive(serde::Deserialize)]
    struct Truth(std::collections::BTreeMap<String, Vec<u32>>);

    #[test]
    fn every_byte_of_every_format_is_what_ml_dtypes_makes_of_it() {
        let truth: Truth =
            serde_json::from_str(include_str!("../../tests/fixtures/minifloats.json")).unwrap();
        let formats = [
            ("float8_e5m2", Minifloat::E5M2),
            ("float8_e4m3fn", Minifloat::E4M3Fn),
            ("float8_e4m3fnuz", Minifloat::E4M3Fnuz),
            ("float8_e4m3b11fnuz", Minifloat::E4M3B11Fnuz),
            ("float8_e5m2fnuz", Minifloat::E5M2Fnuz),
            ("float4_e2m1fn", Minifloat::E2M1Fn),
        ];
        assert_eq!(truth.0.len(), formats.len());
        for (name, format) in formats {
            for (byte, bits) in truth.0[name].iter().enumerate() {
                assert_eq!(format.table()[byte].to_bits(), *bits, "{name} {byte:#x}");
            }
        }
    }
}

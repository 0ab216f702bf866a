//! QR codes (ISO/IEC 18004) for a phone to scan, as PNG and as SVG.
//!
//! Both are black on white whatever the colours of the page, with the quiet zone of four modules around them that
//! the standard asks for. The SVG has no `style` and no script, so that it can stand in a page under the strictest
//! Content-Security-Policy. A picture of an `otpauth` URI carries the secret: it is not stored and not cached.

use std::fmt::{self, Write as _};

use png::{BitDepth, ColorType};
use qrcode::{Color, EcLevel, QrCode};
use thiserror::Error;
use zeroize::Zeroizing;

/// A QR code: a square of dark and light modules.
#[derive(Clone)]
pub struct Qr {
    /// Row by row from the top left, `true` for dark, without the quiet zone.
    modules: Zeroizing<Vec<bool>>,
    width: usize,
}

impl Qr {
    /// How many light modules there are on each side.
    pub const QUIET_ZONE: usize = 4;

    /// The smallest QR code that holds `text`. Up to 15 percent of it may be unreadable (error correction level M).
    pub fn encode(text: &str) -> Result<Self, QrError> {
        let code = QrCode::with_error_correction_level(text, EcLevel::M).map_err(|_| QrError::TooLong)?;
        let width = code.width();
        let modules = code.into_colors().into_iter().map(|color| color == Color::Dark).collect();
        Ok(Self { modules: Zeroizing::new(modules), width })
    }

    /// How many modules a side has, without the quiet zone: 21 to 177.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// A PNG of one bit a pixel, `scale` pixels a module.
    pub fn to_png(&self, scale: Scale) -> Result<Vec<u8>, QrError> {
        let pixels_a_side = self.width_with_quiet_zone() * usize::from(scale.0);
        let side = u32::try_from(pixels_a_side).map_err(|_| QrError::TooLong)?;
        let mut picture = Vec::new();
        let mut encoder = png::Encoder::new(&mut picture, side, side);
        encoder.set_color(ColorType::Grayscale);
        encoder.set_depth(BitDepth::One);
        let mut writer = encoder.write_header()?;
        writer.write_image_data(&self.pixels(scale))?;
        writer.finish()?;
        Ok(picture)
    }

    /// An SVG that is as large as its place and is named `title` to who cannot see it.
    #[must_use]
    pub fn to_svg(&self, title: &str) -> String {
        let side = self.width_with_quiet_zone();
        let title = xml_escaped(title);
        let path = self.path();
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {side} {side}\" role=\"img\" \
             shape-rendering=\"crispEdges\"><title>{title}</title>\
             <rect width=\"{side}\" height=\"{side}\" fill=\"#fff\"/><path fill=\"#000\" d=\"{path}\"/></svg>"
        )
    }

    fn width_with_quiet_zone(&self) -> usize {
        self.width + 2 * Self::QUIET_ZONE
    }

    /// The rows of the PNG: a set bit is white, and each row starts at a byte.
    fn pixels(&self, scale: Scale) -> Zeroizing<Vec<u8>> {
        let scale = usize::from(scale.0);
        let side = self.width_with_quiet_zone();
        let bytes_a_row = (side * scale).div_ceil(8);
        let mut pixels = Zeroizing::new(Vec::with_capacity(bytes_a_row * side * scale));
        for y in 0..side {
            let mut row = Zeroizing::new(vec![0xff; bytes_a_row]);
            for x in (0..side).filter(|&x| self.is_dark(x, y)) {
                for pixel in x * scale..(x + 1) * scale {
                    if let Some(byte) = row.get_mut(pixel / 8) {
                        *byte &= !(0x80 >> (pixel % 8));
                    }
                }
            }
            for _ in 0..scale {
                pixels.extend_from_slice(&row);
            }
        }
        pixels
    }

    /// One rectangle of height 1 for each run of dark modules in a row.
    fn path(&self) -> String {
        let side = self.width_with_quiet_zone();
        let mut path = String::new();
        for y in 0..side {
            let mut x = 0;
            while x < side {
                let run = (x..side).take_while(|&x| self.is_dark(x, y)).count();
                if run > 0 {
                    // Writing to a `String` does not fail.
                    let _ = write!(path, "M{x} {y}h{run}v1h-{run}z");
                }
                x += run + 1;
            }
        }
        path
    }

    /// Coordinates include the quiet zone.
    fn is_dark(&self, x: usize, y: usize) -> bool {
        let inside =
            |coordinate: usize| coordinate.checked_sub(Self::QUIET_ZONE).filter(|&coordinate| coordinate < self.width);
        let (Some(x), Some(y)) = (inside(x), inside(y)) else {
            return false;
        };
        self.modules.get(y * self.width + x).copied().unwrap_or(false)
    }
}

impl fmt::Debug for Qr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Qr([REDACTED])")
    }
}

/// How many pixels of a PNG a module is wide and high, 1 to 32.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scale(u8);

impl Scale {
    /// Six pixels: some 300 for the whole of a usual `otpauth` URI.
    pub const DEFAULT: Self = Self(6);
    /// The most pixels: some 6000 for the whole of the largest QR code.
    pub const MAX_PIXELS: u8 = 32;

    /// The scale of `pixels` a module, or `None` when that is zero or more than [`Scale::MAX_PIXELS`].
    #[must_use]
    pub const fn new(pixels: u8) -> Option<Self> {
        if pixels == 0 || pixels > Self::MAX_PIXELS {
            return None;
        }
        Some(Self(pixels))
    }
}

impl Default for Scale {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// Why there is no QR code.
#[derive(Debug, Error)]
pub enum QrError {
    /// The caller's text does not fit into the largest QR code (2331 bytes).
    #[error("the text is too long for a QR code")]
    TooLong,
    /// The PNG could not be written, which is our fault: it is written to memory.
    #[error("the PNG could not be written")]
    Png(#[from] png::EncodingError),
}

/// Text as the content of an XML element. Control characters have no place in XML, not even escaped.
fn xml_escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\u{fffe}' | '\u{ffff}' => {}
            character if character.is_control() => escaped.push(' '),
            character => escaped.push(character),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use proptest::prelude::*;
    use secrecy::ExposeSecret;

    use super::*;
    use crate::{KeyUri, Label, Secret};

    fn uri() -> String {
        let label = Label::new(Some("Big Corp"), "alice@example.com").unwrap();
        let secret = Secret::from_bytes(b"12345678901234567890").unwrap();
        KeyUri::totp(label, secret).to_uri().expose_secret().to_owned()
    }

    #[test]
    fn v09_the_png_is_scanned_as_the_uri() {
        for pixels in [2, 3, 6, 32] {
            let png = Qr::encode(&uri()).unwrap().to_png(Scale::new(pixels).unwrap()).unwrap();
            assert_eq!(scanned(&luma_of_png(&png)), uri(), "{pixels} pixels a module");
        }
    }

    #[test]
    fn v09_the_svg_is_scanned_as_the_uri() {
        let svg = Qr::encode(&uri()).unwrap().to_svg("Scan me");
        assert_eq!(scanned(&luma_of_svg(&svg, 4)), uri());
    }

    #[test]
    fn v09_both_pictures_are_the_same_with_four_light_modules_around() {
        let qr = Qr::encode(&uri()).unwrap();
        let png = luma_of_png(&qr.to_png(Scale::new(1).unwrap()).unwrap());
        assert_eq!(png, luma_of_svg(&qr.to_svg(""), 1));

        let side = qr.width() + 8;
        assert_eq!(png.len(), side);
        for (y, row) in png.iter().enumerate() {
            for (x, luma) in row.iter().enumerate() {
                let quiet = [x, y].iter().any(|&place| place < 4 || place >= side - 4);
                assert!(!quiet || *luma == 255, "({x}, {y})");
            }
        }
        assert_eq!(png[4][4], 0, "the finder pattern starts right after the quiet zone");
    }

    #[test]
    fn v09_the_svg_passes_a_strict_content_security_policy() {
        let svg = Qr::encode("x").unwrap().to_svg("x");
        assert!(svg.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 29 29\" role=\"img\""));
        assert!(!svg.contains("style") && !svg.contains("script") && !svg.contains("url("));
        assert_eq!(svg.matches("<path").count(), 1);
    }

    #[test]
    fn v09_the_title_of_the_svg_cannot_break_out() {
        let svg = Qr::encode("x").unwrap().to_svg("</title><script>\"'&\u{0}\n");
        assert!(svg.contains("<title>&lt;/title&gt;&lt;script&gt;&quot;&#39;&amp;  </title>"), "{svg}");
    }

    #[test]
    fn v14_the_longest_text_fits_and_a_longer_one_is_refused() {
        assert_eq!(Qr::encode(&"x".repeat(2331)).unwrap().width(), 177);
        assert!(matches!(Qr::encode(&"x".repeat(2332)), Err(QrError::TooLong)));
    }

    #[test]
    fn v09_scales_are_between_1_and_32_pixels() {
        assert_eq!(Scale::new(0), None);
        assert_eq!(Scale::new(33), None);
        assert_eq!(Scale::new(6), Some(Scale::default()));
    }

    #[test]
    fn a_qr_code_is_not_printed_by_accident() {
        assert_eq!(format!("{:?}", Qr::encode("x").unwrap()), "Qr([REDACTED])");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn v14_any_text_is_scanned_as_itself(text in "[ -~]{1,300}") {
            let qr = Qr::encode(&text).unwrap();
            let png = qr.to_png(Scale::new(4).unwrap()).unwrap();
            prop_assert_eq!(scanned(&luma_of_png(&png)), text);
        }
    }

    /// What a scanner reads in a picture given as rows of brightness.
    fn scanned(rows: &[Vec<u8>]) -> String {
        let mut picture = rqrr::PreparedImage::prepare_from_greyscale(rows[0].len(), rows.len(), |x, y| rows[y][x]);
        let grids = picture.detect_grids();
        assert_eq!(grids.len(), 1);
        grids[0].decode().unwrap().1
    }

    fn luma_of_png(png: &[u8]) -> Vec<Vec<u8>> {
        let mut decoder = png::Decoder::new(Cursor::new(png));
        decoder.set_transformations(png::Transformations::EXPAND);
        let mut reader = decoder.read_info().unwrap();
        assert_eq!(reader.info().bit_depth, BitDepth::One);
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let frame = reader.next_frame(&mut pixels).unwrap();
        assert_eq!(frame.width, frame.height);
        pixels.chunks(frame.line_size).map(<[u8]>::to_vec).collect()
    }

    /// Paints the rectangles of the path, `scale` pixels a unit.
    fn luma_of_svg(svg: &str, scale: usize) -> Vec<Vec<u8>> {
        let between = |start: &str, end: &str| svg.split_once(start).unwrap().1.split_once(end).unwrap().0;
        let side: usize = between("viewBox=\"0 0 ", " ").parse().unwrap();
        let mut rows = vec![vec![255; side * scale]; side * scale];
        for rectangle in between(" d=\"", "\"").split_terminator('z') {
            let (place, lines) = rectangle.strip_prefix('M').unwrap().split_once('h').unwrap();
            let (x, y) = place.split_once(' ').unwrap();
            let (x, y): (usize, usize) = (x.parse().unwrap(), y.parse().unwrap());
            let run: usize = lines.split_once('v').unwrap().0.parse().unwrap();
            assert_eq!(lines, format!("{run}v1h-{run}"));
            for row in &mut rows[y * scale..(y + 1) * scale] {
                row[x * scale..(x + run) * scale].fill(0);
            }
        }
        rows
    }
}

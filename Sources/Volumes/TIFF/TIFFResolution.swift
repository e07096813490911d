import CTIFF
import Foundation

/// The resolution tags of a page: pixels a unit along y and x, and the tag's own unit.
struct TIFFResolution {
    let y: Double?
    let x: Double?
    private let isPerCentimetre: Bool

    init(current handle: TIFFHandle) {
        func positive(_ tag: Int32) -> Double? {
            handle.float(tag).flatMap { $0 > 0 && $0.isFinite ? $0 : nil }
        }
        y = positive(TIFFTAG_YRESOLUTION)
        x = positive(TIFFTAG_XRESOLUTION)
        isPerCentimetre = handle.uint16(TIFFTAG_RESOLUTIONUNIT) == Int(RESUNIT_CENTIMETER)
    }

    /// The size by the tags alone: only centimetres state a length of the specimen. Inches are the printer's,
    /// and 72 of them, in centimetres too, is what programs write when they know nothing.
    var voxelSize: StatedVoxelSize {
        func nanometers(_ perCentimetre: Double?) -> Double? {
            guard isPerCentimetre, let perCentimetre, abs(perCentimetre * 2.54 - 72) > 0.05 else { return nil }
            return roundedToSingle(1e7 / perCentimetre)
        }
        let size = ZYX(z: nil, y: nanometers(y), x: nanometers(x))
        return size.array.allSatisfy { $0 == nil } ? .none : StatedVoxelSize(nanometers: size, unit: .micrometer)
    }
}

/// The length of a unit that files name; nil for pixels, inches and what is no length.
func nanometersPerUnit(_ spelling: String) -> Double? {
    if let unit = LengthUnit(spelling: spelling) { return unit.nanometers }
    switch spelling.trimmingCharacters(in: .whitespaces).lowercased() {
    case "pm", "picometer", "picometre": return 0.001
    case "cm", "centimeter", "centimetre": return 1e7
    case "m", "meter", "metre": return 1e9
    default: return nil
    }
}

/// A length without the digits beyond single precision, which is how libtiff hands out resolutions:
/// 4.2, not 4.1999998.
func roundedToSingle(_ value: Double) -> Double { Double(String(format: "%.6g", value)) ?? value }

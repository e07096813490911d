import Foundation

/// A unit of length that microscope files use.
public enum LengthUnit: String, Codable, Sendable, CaseIterable {
    case angstrom = "Å"
    case nanometer = "nm"
    case micrometer = "µm"
    case millimeter = "mm"

    public var nanometers: Double {
        switch self {
        case .angstrom: 0.1
        case .nanometer: 1
        case .micrometer: 1_000
        case .millimeter: 1_000_000
        }
    }

    /// NGFF's full name, as in OME-Zarr's `axes`.
    public var fullName: String { String(describing: self) }

    /// Reads the spellings found in files: `nm`, `nanometer(s)`, `nanometre`, `µm`, `μm`, `um`, `micron(s)`,
    /// `\u00B5m`, `Å`, `angstrom`, `mm`, …; nil for anything else (pixel, inch and the like are no unit here).
    public init?(spelling: String) {
        switch spelling.trimmingCharacters(in: .whitespacesAndNewlines).lowercased() {
        case "å", "angstrom", "angstroms", "ångström", "a": self = .angstrom
        case "nm", "nanometer", "nanometers", "nanometre", "nanometres": self = .nanometer
        case "µm", "μm", "um", "micron", "microns", "micrometer", "micrometers", "micrometre", "micrometres",
            "\\u00b5m":
            self = .micrometer
        case "mm", "millimeter", "millimeters", "millimetre", "millimetres": self = .millimeter
        default: return nil
        }
    }
}

/// The distance between neighbouring voxels' centres along each axis, in nanometres.
public struct VoxelSize: Hashable, Codable, Sendable {
    public var nanometers: ZYX<Double>
    /// The unit the source stated; used to print the size and to write it back.
    public var unit: LengthUnit

    public init(_ size: ZYX<Double>, _ unit: LengthUnit) {
        nanometers = size.map { $0 * unit.nanometers }
        self.unit = unit
    }

    /// The size in `unit`.
    public func `in`(_ unit: LengthUnit) -> ZYX<Double> { nanometers.map { $0 / unit.nanometers } }

    /// Whether both sizes agree along every axis to `tolerance`, a fraction (files round).
    public func agrees(with other: VoxelSize, tolerance: Double = 0.001) -> Bool {
        nanometers.zip(other.nanometers) { abs($0 - $1) <= tolerance * max(abs($0), abs($1)) }.array
            .allSatisfy { $0 }
    }

    /// Why it may be a mistake; nil for no reason.
    public var doubt: String? {
        let sides = nanometers.array
        guard let shortest = sides.min(), let longest = sides.max() else { return nil }
        if shortest < 1 { return "voxels of \(self) are smaller than microscopes see; is the unit right?" }
        if longest > 100 * shortest {
            return "voxels of \(self) are \(Int(longest / shortest)) times as long as wide; are the units right?"
        }
        if max(sides[1], sides[2]) > 1.5 * min(sides[1], sides[2]) {
            return "voxels of \(self) differ along y and x; is the order z, y, x?"
        }
        return nil
    }
}

extension VoxelSize: CustomStringConvertible {
    /// For example `z 40 × y 8 × x 8 nm`: in its unit, or where figures are long or tiny in that, in a better one.
    public var description: String { StatedVoxelSize(self).description }
}

/// What a file says of its voxel size; each axis may be missing (a TIFF often knows x and y alone).
public struct StatedVoxelSize: Hashable, Codable, Sendable {
    /// Nanometres, nil where the file does not say.
    public var nanometers: ZYX<Double?>
    public var unit: LengthUnit

    public init(nanometers: ZYX<Double?>, unit: LengthUnit) {
        self.nanometers = nanometers
        self.unit = unit
    }

    public init(_ size: VoxelSize) {
        self.init(nanometers: size.nanometers.map { $0 }, unit: size.unit)
    }

    public static let none = StatedVoxelSize(nanometers: ZYX(repeating: nil), unit: .nanometer)

    /// The size, where all three axes are stated.
    public var complete: VoxelSize? {
        guard let z = nanometers.z, let y = nanometers.y, let x = nanometers.x else { return nil }
        var size = VoxelSize(ZYX(z, y, x), .nanometer)
        size.unit = unit
        return size
    }

    /// The letters of the axes that are missing.
    public var missingAxes: [String] {
        Swift.zip(["z", "y", "x"], nanometers.array).filter { $0.1 == nil }.map(\.0)
    }
}

extension StatedVoxelSize: CustomStringConvertible {
    /// The axes that are stated, for example `y 8 × x 8 nm`.
    public var description: String { lengths(nanometers, unit, separator: " × ") }
}

extension ZYX where Scalar == Double {
    /// A place in nanometres as people read it, for example `z 80, y 8, x 27 nm`.
    ///
    /// - Parameter unit: The one that the file uses.
    public func place(unit: LengthUnit) -> String { lengths(map { $0 }, unit, separator: ", ") }
}

private func lengths(_ nanometers: ZYX<Double?>, _ own: LengthUnit, separator: String) -> String {
    let known = zip(["z", "y", "x"], nanometers.array).compactMap { axis, length in length.map { (axis, $0) } }
    let unit = LengthUnit.readable(known.map(\.1), own: own)
    return known.map { "\($0) \(decimal($1 / unit.nanometers))" }.joined(separator: separator) + " \(unit.rawValue)"
}

extension LengthUnit {
    /// The unit in which lengths have short figures: the file's own where they are neither tiny nor huge in that.
    fileprivate static func readable(_ nanometers: [Double], own: LengthUnit) -> LengthUnit {
        let lengths = nanometers.map(abs).filter { $0 > 0 }
        if lengths.allSatisfy({ (0.001..<100_000).contains($0 / own.nanometers) }) { return own }
        return [.millimeter, .micrometer].first { unit in lengths.allSatisfy { $0 >= unit.nanometers } }
            ?? .nanometer
    }
}

/// Six digits that count, never an exponent.
private func decimal(_ value: Double) -> String {
    let magnitude = value == 0 ? 0 : Int(log10(abs(value)).rounded(.down))
    let text = String(format: "%.\(min(18, max(0, 5 - magnitude)))f", value)
    guard text.contains(".") else { return text }
    let digits = text.reversed().drop { $0 == "0" }
    return String((digits.first == "." ? digits.dropFirst() : digits).reversed())
}

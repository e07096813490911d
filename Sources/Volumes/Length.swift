import Foundation

/// A length above 0 with its unit, as people write it: `40 nm`, `0.5µm`.
public struct Length: Hashable, Sendable {
    public let value: Double
    public let unit: LengthUnit

    public var nanometers: Double { value * unit.nanometers }

    /// - Parameter bare: the unit of a number that has none; nil where it must have one.
    public init?(_ text: String, bare: LengthUnit? = nil) {
        guard let (value, spelling) = quantity(text) else { return nil }
        guard let unit = spelling.isEmpty ? bare : LengthUnit(spelling: spelling) else { return nil }
        (self.value, self.unit) = (value, unit)
    }
}

extension VoxelSize {
    /// In the unit of the side along x.
    public init(_ sides: ZYX<Length>) {
        self.init(sides.map(\.nanometers), .nanometer)
        unit = sides.x.unit
    }
}

/// The volume of an object, above 0, as people write it: `0.01 µm³`, `0.01 um3`, `2000 nm^3`.
public struct CubicLength: Hashable, Sendable {
    public let cubicMicrometers: Double

    /// - Parameter bare: the side's unit where a number has none; nil where it must have one.
    public init?(_ text: String, bare: LengthUnit? = nil) {
        guard let (value, spelling) = quantity(text) else { return nil }
        let side: LengthUnit?
        if let ending = ["^3", "³", "3"].first(where: spelling.hasSuffix) {
            side = LengthUnit(spelling: String(spelling.dropLast(ending.count)))
        } else {
            side = spelling.isEmpty ? bare : nil
        }
        guard let side else { return nil }
        let micrometers = side.nanometers / 1_000
        cubicMicrometers = value * micrometers * micrometers * micrometers
    }
}

/// A number above 0, and what stands behind it.
private func quantity(_ text: String) -> (value: Double, unit: String)? {
    let text = text.trimmingCharacters(in: .whitespaces)
    let number = text.prefix { "0123456789.eE+-".contains($0) }
    guard let value = Double(number), value > 0, value.isFinite else { return nil }
    return (value, text.dropFirst(number.count).trimmingCharacters(in: .whitespaces))
}

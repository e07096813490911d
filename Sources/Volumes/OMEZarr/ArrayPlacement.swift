/// What attributes of an array say of its voxels where no image of OME-NGFF does: `resolution` (or funlib's `voxel_size`)
/// and `offset`, as in CREMI's files, in nanometres unless `units` say otherwise.
struct ArrayPlacement: Sendable, Equatable {
    private(set) var voxelSize = StatedVoxelSize.none
    /// Of the first voxel, in nanometres.
    private(set) var position: ZYX<Double>?

    /// - Parameter attributes: of a Zarr array: z, y, x.
    init(_ attributes: JSONValue?) {
        let unit = Self.unit(attributes?["units"])
        let size = Self.triple(attributes?["resolution"] ?? attributes?["voxel_size"])
        self.init(size: size, offset: Self.triple(attributes?["offset"]), unit)
    }

    /// - Parameters:
    ///   - attributes: of an N5 array: x, y, z.
    ///   - level: of the group around it, where it is a level of an image: what it does not say itself. Its own
    ///     `downsamplingFactors` then count.
    init(n5 attributes: [String: JSONValue], level: [String: JSONValue]) {
        let all = level.merging(attributes) { _, own in own }
        let pixel = all["pixelResolution"]
        let unit = Self.unit(pixel?["unit"] ?? all["units"])
        let stated = pixel?["dimensions"] ?? all["resolution"]
        let isOwn = attributes["pixelResolution"] != nil || attributes["resolution"] != nil
        let factors = isOwn ? nil : Self.triple(attributes["downsamplingFactors"])?.reversed
        let base = Self.triple(stated)?.reversed
        var offset = Self.triple(all["offset"])?.reversed
        if let base, let factors {
            // The middle of the voxels that became one.
            offset = (offset ?? ZYX(0, 0, 0)).zip(factors.zip(base) { ($0 - 1) / 2 * $1 }, +)
        }
        self.init(size: base.map { $0.zip(factors ?? ZYX(1, 1, 1), *) }, offset: offset, unit)
    }

    private init(size: ZYX<Double>?, offset: ZYX<Double>?, _ unit: LengthUnit?) {
        guard let unit else { return }
        if let size, size.array.allSatisfy({ $0 > 0 }) { voxelSize = StatedVoxelSize(VoxelSize(size, unit)) }
        position = offset?.map { $0 * unit.nanometers }
    }

    /// Nil where it is stated and no unit of length, or not the same for all axes.
    private static func unit(_ value: JSONValue?) -> LengthUnit? {
        let spellings = Set(value?.array.map { $0.map(\.string) } ?? [value?.string ?? "nm"])
        guard spellings.count == 1, let spelling = spellings.first else { return nil }
        return spelling.flatMap { LengthUnit(spelling: $0) }
    }

    private static func triple(_ value: JSONValue?) -> ZYX<Double>? {
        guard let numbers = value?.array?.compactMap(\.number), numbers.count == 3, numbers.allSatisfy(\.isFinite)
        else { return nil }
        return ZYX(numbers[0], numbers[1], numbers[2])
    }
}

extension ZYX {
    fileprivate var reversed: ZYX { ZYX(x, y, z) }
}

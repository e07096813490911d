/// One of a group's `multiscales`: an image's axes, and where its levels lie.
///
/// Source: OME-NGFF 0.4 and 0.5, "axes", "multiscales" and "coordinateTransformations"; 0.1 to 0.3 had names of
/// axes alone, or none.
struct OMEMultiscale {
    let axes: [Axis]
    let levels: [Level]
    /// Those of all levels, applied after each level's own.
    private let transformations: [JSONValue]

    struct Axis: Equatable {
        let role: VolumeAxes.Role
        let name: String
        /// Nanometres a unit; nil where none is stated, or none of length.
        let nanometers: Double?
        let unit: LengthUnit?
    }

    struct Level {
        /// The array's path from the group on, not yet checked.
        let path: String
        let transformations: [JSONValue]
    }

    /// - Parameter file: The metadata file, for faults.
    /// - Throws: `FileFault` where axes or levels are missing or of another kind.
    init(_ json: JSONValue, _ file: ZarrMetadataFile) throws {
        guard let datasets = json["datasets"]?.array, !datasets.isEmpty else {
            throw file.fault("has multiscales without datasets")
        }
        levels = try datasets.map {
            guard let path = $0["path"]?.string else {
                throw file.fault("has multiscales with a dataset without path")
            }
            return Level(path: path, transformations: $0["coordinateTransformations"]?.array ?? [])
        }
        transformations = json["coordinateTransformations"]?.array ?? []
        guard let axes = json["axes"]?.array else {
            // NGFF 0.1 and 0.2: always these.
            self.axes = ["t", "c", "z", "y", "x"].map(Axis.init)
            return
        }
        guard axes.count >= 2, axes.count <= 5 else {
            throw file.fault("has \(axes.count) axes; expected 2 to 5, among t, c, z, y, x")
        }
        self.axes = try Self.axes(axes, file)
    }

    private static func axes(_ json: [JSONValue], _ file: ZarrMetadataFile) throws -> [Axis] {
        let names = json.map { $0.string ?? $0["name"]?.string ?? "" }
        let types = json.map { $0["type"]?.string }
        let roles = names.indices.map { VolumeAxes.Role(name: names[$0], type: types[$0]) }
        let spatial = VolumeAxes.spatial(names: names, among: roles.indices.filter { roles[$0] == nil })
        guard let spatial else { throw file.fault("has axes without y and x, or with more than three of space") }
        return names.indices.map { index in
            let spelling = json[index]["unit"]?.string
            return Axis(
                role: roles[index] ?? spatial[index] ?? .other, name: names[index],
                nanometers: spelling.flatMap(Self.nanometers), unit: spelling.flatMap { LengthUnit(spelling: $0) })
        }
    }

    /// The metric units of length that NGFF allows beyond those of microscopes.
    private static func nanometers(_ unit: String) -> Double? {
        if let unit = LengthUnit(spelling: unit) { return unit.nanometers }
        let others = [
            "femtometer": 1e-6, "picometer": 1e-3, "centimeter": 1e7, "decimeter": 1e8, "meter": 1e9,
        ]
        return others[unit]
    }

    /// The voxel size of a level, and where its first voxel's middle is; an axis counts as unstated where its scale
    /// is not a length that a voxel can have.
    func placement(ofLevel level: Int) -> (voxelSize: StatedVoxelSize, position: ZYX<Double>?) {
        var scale = [Double](repeating: 1, count: axes.count)
        var translation: [Double]?
        for transformation in levels[level].transformations + transformations {
            switch transformation["type"] {
            case "scale":
                let factors = numbers(transformation["scale"])
                scale = zip(scale, factors).map(*)
                translation = translation.map { zip($0, factors).map(*) }
            case "translation":
                let steps = numbers(transformation["translation"])
                translation = zip(translation ?? scale.map { _ in 0 }, steps).map(+)
            case "identity": break
            // An unknown one may scale by anything.
            default: scale = scale.map { _ in .nan }
            }
        }
        let isScaled = (levels[level].transformations + transformations).contains { $0["type"] == "scale" }
        return (isScaled ? voxelSize(scale) : .none, isScaled ? position(translation) : nil)
    }

    /// Not-a-number for what is missing, so that its axis counts as unstated.
    private func numbers(_ value: JSONValue?) -> [Double] {
        guard let values = value?.array, values.count == axes.count else { return axes.map { _ in .nan } }
        return values.map { $0.number ?? .nan }
    }

    private func voxelSize(_ scale: [Double]) -> StatedVoxelSize {
        let sizes = ZYX<VolumeAxes.Role>(.z, .y, .x).map { role -> Double? in
            guard let index = axes.firstIndex(where: { $0.role == role }),
                let unit = axes[index].nanometers, Self.plausible.contains(scale[index] * unit)
            else { return nil }
            return scale[index] * unit
        }
        let unit = axes.last { $0.role == .x }?.unit
        return StatedVoxelSize(nanometers: sizes, unit: unit ?? .nanometer)
    }

    private func position(_ translation: [Double]?) -> ZYX<Double>? {
        guard let translation else { return nil }
        let position = ZYX<VolumeAxes.Role>(.z, .y, .x).map { role -> Double? in
            guard let index = axes.firstIndex(where: { $0.role == role }) else { return 0 }
            guard let unit = axes[index].nanometers else { return nil }
            let place = translation[index] * unit
            return abs(place) <= Self.plausible.upperBound ? place : nil
        }
        guard let z = position.z, let y = position.y, let x = position.x else { return nil }
        return ZYX(z, y, x)
    }

    /// From a femtometre to a kilometre, in nanometres.
    private static let plausible = 1e-6...1e12
}

extension OMEMultiscale.Axis {
    fileprivate init(name: String) {
        self.init(
            role: VolumeAxes.Role(name: name, type: nil) ?? VolumeAxes.Role(spatial: name) ?? .other, name: name,
            nanometers: nil, unit: nil)
    }
}

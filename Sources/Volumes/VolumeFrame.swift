/// Where voxels are in the frame of a scanner, as NIfTI has it: right, anterior, superior, in the file's own numbers.
public struct VolumeFrame: Codable, Sendable, Equatable {
    /// Of right, anterior and superior each the step along x, y and z, and the middle of the first voxel.
    public var rows: [[Double]]
    /// What the numbers are counted in; nil where the file does not say.
    public var unit: LengthUnit?

    public init(rows: [[Double]], unit: LengthUnit?) {
        self.rows = rows
        self.unit = unit
    }

    /// Steps along x, y and z.
    private var steps: [[Double]] { (0..<3).map { axis in rows.map { $0[axis] } } }
    private var directions: [[Double]] { steps.map { step in step.map { $0 / length(step) } } }
    private var origin: [Double] { rows.map { $0[3] } }

    /// The lengths of the steps along x, y and z.
    var sizes: [Double] { steps.map(length) }

    /// Whether all numbers are finite, and each step leads somewhere.
    var isSound: Bool { rows.joined().allSatisfy(\.isFinite) && sizes.allSatisfy { $0 > 0 && $0.isFinite } }

    /// nil without a unit.
    var voxelSize: VoxelSize? {
        guard let unit else { return nil }
        // Lengths of steps in single precision have its six digits.
        let sides = sizes.map(roundedToSingle)
        return VoxelSize(ZYX(sides[2], sides[1], sides[0]), unit)
    }

    /// Whether x, y and z lead to the right, to the front and up.
    public var isUpright: Bool { axes == "RAS" && !isOblique }

    /// Whether an axis leads to between two directions.
    public var isOblique: Bool {
        steps.contains { step in step.map(abs).sorted()[1] > 1e-6 * length(step) }
    }

    /// Whether the axes do not stand upright on each other.
    private var isSkewed: Bool {
        let directions = directions
        return [(0, 1), (0, 2), (1, 2)].contains { abs(dot(directions[$0], directions[$1])) > 1e-3 }
    }

    /// The place of the first voxel along the volume's own axes, in nanometres; nil without a unit, and where the axes do
    /// not stand upright on each other.
    var position: ZYX<Double>? {
        guard let unit else { return nil }
        let place = directions.map { dot($0, origin) * unit.nanometers }
        guard !isSkewed, place.allSatisfy(\.isFinite) else { return nil }
        return ZYX(place[2], place[1], place[0])
    }

    /// The frame of the same voxels of another size; nil where axes do not stand upright on each other.
    public func resized(to size: VoxelSize) -> VolumeFrame? {
        if isSkewed { return nil }
        let unit: LengthUnit = size.unit == .millimeter ? .millimeter : .micrometer
        let factors = zip(size.in(unit).array.reversed(), sizes).map { $0 / $1 }
        // The first voxel stays as many voxels away from the origin along each axis.
        let moved = zip(directions, factors).map { dot($0, origin) * $1 }
        let rows = (0..<3).map { row in
            (0..<3).map { steps[$0][row] * factors[$0] } + [
                (0..<3).reduce(0) { $0 + directions[$1][row] * moved[$1] }
            ]
        }
        return VolumeFrame(rows: rows, unit: unit)
    }

    /// The frame of a box that begins at a voxel.
    public func shifted(to voxel: ZYX<Int>) -> VolumeFrame {
        var shifted = self
        for row in 0..<3 {
            shifted.rows[row][3] +=
                rows[row][0] * Double(voxel.x) + rows[row][1] * Double(voxel.y) + rows[row][2] * Double(voxel.z)
        }
        return shifted
    }

    /// Where x, y and z lead, as in `LPS`: to the left, the back and up.
    public var axes: String {
        String(
            steps.map { step in
                let row = (0..<3).max { abs(step[$0]) < abs(step[$1]) }!
                return (step[row] < 0 ? ["L", "P", "I"] : ["R", "A", "S"])[row]
            })
    }

    /// What is wrong with a volume that belongs to another voxel by voxel; nil where both lie alike, or one does not say.
    ///
    /// - Parameter name: the other's, for example `its image raw.nii`.
    public static func problem(_ own: VolumeFrame?, like other: VolumeFrame?, of name: String) -> String? {
        guard let own, let other else { return nil }
        let isAlike = zip(own.steps, other.steps).allSatisfy { a, b in
            dot(a, b) > 0.999 * length(a) * length(b)
        }
        if isAlike { return nil }
        let turned = own.axes == other.axes ? ", turned by some degrees" : ""
        return
            "lies otherwise than \(name): its axes x, y, z lead to \(own.axes), and to \(other.axes) there\(turned); "
            + "bring both to the same axes first"
    }
}

private func dot(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
private func length(_ a: [Double]) -> Double { dot(a, a).squareRoot() }

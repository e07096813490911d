import Volumes

/// A box as people write it: `z0:z1,y0:y1,x0:x1`, any number left out standing for the volume's end.
public struct CropRange: Codable, Hashable, Sendable {
    /// First and one past the last, along z, y and x; nil for where the volume begins or ends.
    private let bounds: [[Int?]]
    let text: String

    /// - Returns: nil where the text is no box.
    public init?(_ text: String) {
        self.text = text
        let axes = text.split(separator: ",", omittingEmptySubsequences: false)
        guard axes.count == 3 else { return nil }
        var bounds: [[Int?]] = []
        for axis in axes {
            let ends = axis.split(separator: ":", omittingEmptySubsequences: false)
                .map { $0.trimmingCharacters(in: .whitespaces) }
            guard ends.count == 2, ends.allSatisfy({ $0.isEmpty || (Int($0) ?? -1) >= 0 }) else { return nil }
            bounds.append(ends.map { Int($0) })
        }
        self.bounds = bounds
    }

    /// - Parameter option: what gives it, for people.
    /// - Throws: `FileFault` where it does not lie within the volume or is empty.
    func box(in shape: ZYX<Int>, of file: String, as option: String) throws -> Box {
        let lows = bounds.map { $0[0] ?? 0 }
        let highs = zip(bounds, shape.array).map { $0[1] ?? $1 }
        for (axis, (low, high)) in zip(lows, highs).enumerated() {
            guard low < high, high <= shape.array[axis] else {
                throw FileFault(
                    file, "\(option) \(text) is not a box of this volume, which has \(shape) voxels")
            }
        }
        return Box(from: ZYX(lows[0], lows[1], lows[2]), to: ZYX(highs[0], highs[1], highs[2]))
    }
}

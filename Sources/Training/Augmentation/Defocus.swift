import Foundation
import Volumes

extension Volume<Float> {
    /// Smoothed by a Gaussian.
    ///
    /// - Parameters:
    ///   - deviation: in voxels along each axis; 0 for none.
    ///   - sections: those to smooth, by themselves where they are not all.
    mutating func blur(_ deviation: ZYX<Double>, sections: Range<Int>) {
        for (axis, deviation) in deviation.array.enumerated() where deviation > 0 {
            let radius = Swift.max(1, Int((3 * deviation).rounded(.up)))
            let bell = (-radius...radius).map { Float(exp(-Double($0 * $0) / (2 * deviation * deviation))) }
            let sum = bell.reduce(0, +)
            let kernel = bell.map { $0 / sum }
            changeLines(along: axis, sections: sections) { line, result in
                let last = line.count - 1
                for place in line.indices {
                    var value: Float = 0
                    for offset in -radius...radius {
                        value += kernel[offset + radius] * line[Swift.min(last, Swift.max(0, place + offset))]
                    }
                    result[place] = value
                }
            }
        }
    }

    /// As a microscope of a lower resolution would have taken it: every `step`-th voxel along each axis, interpolated
    /// between.
    mutating func lowerResolution(by step: ZYX<Int>) {
        for (axis, step) in step.array.enumerated() where step > 1 {
            changeLines(along: axis, sections: 0..<shape.z) { line, result in
                let last = (line.count - 1) / step * step
                for place in line.indices {
                    let low = place / step * step
                    let fraction = Float(place - low) / Float(step)
                    result[place] = line[low] + fraction * (line[Swift.min(low + step, last)] - line[low])
                }
            }
        }
    }

    /// Puts in the place of each line of voxels along an axis what `change` makes of it.
    private mutating func changeLines(
        along axis: Int, sections: Range<Int>,
        _ change: (_ line: UnsafeMutableBufferPointer<Float>, _ result: UnsafeMutableBufferPointer<Float>) -> Void
    ) {
        let (height, width) = (shape.y, shape.x)
        let counts = [sections.count, height, width]
        let steps = [height * width, width, 1]
        let (count, step) = (counts[axis], steps[axis])
        let others = [0, 1, 2].filter { $0 != axis }
        let first = sections.lowerBound * height * width
        var lines = [Float](repeating: 0, count: 2 * count)
        voxels.withUnsafeMutableBufferPointer { voxels in
            lines.withUnsafeMutableBufferPointer { lines in
                let line = UnsafeMutableBufferPointer(rebasing: lines[..<count])
                let result = UnsafeMutableBufferPointer(rebasing: lines[count...])
                for one in 0..<counts[others[0]] {
                    for other in 0..<counts[others[1]] {
                        let start = first + one * steps[others[0]] + other * steps[others[1]]
                        for place in 0..<count { line[place] = voxels[start + place * step] }
                        change(line, result)
                        for place in 0..<count { voxels[start + place * step] = result[place] }
                    }
                }
            }
        }
    }
}

import Foundation
import Volumes

extension Volume<Float> {
    /// Smoothed by a Gaussian in the plane of sections.
    ///
    /// - Parameters:
    ///   - deviation: in voxels along y and x.
    ///   - sections: those to smooth.
    mutating func blur(_ deviation: Double, sections: Range<Int>) {
        let radius = Swift.max(1, Int((3 * deviation).rounded(.up)))
        let bell = (-radius...radius).map { Float(exp(-Double($0 * $0) / (2 * deviation * deviation))) }
        let sum = bell.reduce(0, +)
        let kernel = bell.map { $0 / sum }
        var line = [Float](repeating: 0, count: Swift.max(shape.y, shape.x))
        voxels.withUnsafeMutableBufferPointer { voxels in
            func smooth(from start: Int, step: Int, count: Int) {
                for place in 0..<count { line[place] = voxels[start + place * step] }
                for place in 0..<count {
                    var value: Float = 0
                    for offset in -radius...radius {
                        value += kernel[offset + radius] * line[Swift.min(count - 1, Swift.max(0, place + offset))]
                    }
                    voxels[start + place * step] = value
                }
            }
            for z in sections {
                let section = z * shape.y * shape.x
                for y in 0..<shape.y { smooth(from: section + y * shape.x, step: 1, count: shape.x) }
                for x in 0..<shape.x { smooth(from: section + x, step: shape.x, count: shape.y) }
            }
        }
    }

    /// As a microscope of a lower resolution would have taken it: every `step`-th voxel of a plane, interpolated between.
    mutating func lowerResolution(by step: Int) {
        func corner(_ place: Int, _ length: Int) -> (low: Int, high: Int, fraction: Float) {
            let low = place / step * step
            return (low, Swift.min(low + step, (length - 1) / step * step), Float(place - low) / Float(step))
        }
        let source = voxels
        voxels.withUnsafeMutableBufferPointer { voxels in
            for z in 0..<shape.z {
                for y in 0..<shape.y {
                    let (lowY, highY, fy) = corner(y, shape.y)
                    let (above, below) = ((z * shape.y + lowY) * shape.x, (z * shape.y + highY) * shape.x)
                    let row = (z * shape.y + y) * shape.x
                    for x in 0..<shape.x {
                        let (lowX, highX, fx) = corner(x, shape.x)
                        let top = source[above + lowX] + fx * (source[above + highX] - source[above + lowX])
                        let bottom = source[below + lowX] + fx * (source[below + highX] - source[below + lowX])
                        voxels[row + x] = top + fy * (bottom - top)
                    }
                }
            }
        }
    }
}

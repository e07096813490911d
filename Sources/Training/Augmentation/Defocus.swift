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

/// What goes wrong when a volume is cut into sections that are photographed one by one; labels stay where they are.
enum SectionDefects {
    /// One section without an image, one out of focus, and from one on all moved by up to 8 voxels: 10 % each.
    static func apply(to channels: inout [Volume<Float>], random: inout SampleRandom) {
        let shape = channels[0].shape
        if random.chance(0.1) {
            let section = random.below(shape.z)
            let value = Float(random.uniform(-2...2))
            for channel in channels.indices {
                let first = channels[channel].index(section, 0, 0)
                for voxel in first..<first + shape.y * shape.x { channels[channel].voxels[voxel] = value }
            }
        }
        if random.chance(0.1) {
            let section = random.below(shape.z)
            let deviation = random.uniform(1...3)
            for channel in channels.indices {
                channels[channel].blur(deviation, sections: section..<section + 1)
            }
        }
        if random.chance(0.1), shape.z > 1 {
            let first = 1 + random.below(shape.z - 1)
            let (down, right) = (random.below(17) - 8, random.below(17) - 8)
            for channel in channels.indices {
                channels[channel].move(sections: first..<shape.z, down: down, right: right)
            }
        }
    }
}

extension Volume<Float> {
    /// Moves sections; what comes in repeats the border.
    fileprivate mutating func move(sections: Range<Int>, down: Int, right: Int) {
        let source = voxels
        for z in sections {
            for y in 0..<shape.y {
                let from = index(z, Swift.min(shape.y - 1, Swift.max(0, y - down)), 0)
                let row = index(z, y, 0)
                for x in 0..<shape.x {
                    voxels[row + x] = source[from + Swift.min(shape.x - 1, Swift.max(0, x - right))]
                }
            }
        }
    }
}

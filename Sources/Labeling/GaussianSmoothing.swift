import Foundation
import Volumes

/// Convolves with a Gaussian along z, y and x; the kernel reaches three standard deviations and the
/// volume is continued by its border voxels.
///
/// - Parameter sigma: in voxels along each axis; 0 leaves an axis as it is.
public func gaussianSmoothed(_ volume: Volume<Float>, sigma: ZYX<Double>, threads: Int) -> Volume<Float> {
    let shape = volume.shape
    var result = volume
    let strides = ZYX(shape.y * shape.x, shape.x, 1)
    let axes = [(shape.z, strides.z, sigma.z), (shape.y, strides.y, sigma.y), (shape.x, strides.x, sigma.x)]
    for (size, stride, sigma) in axes where sigma > 0 && size > 1 {
        result = smoothed(result, along: size, stride: stride, kernel: gaussian(sigma), threads: threads)
    }
    return result
}

private func gaussian(_ sigma: Double) -> [Float] {
    let reach = max(1, Int((3 * sigma).rounded(.up)))
    let weights = (-reach...reach).map { exp(-Double($0 * $0) / (2 * sigma * sigma)) }
    let sum = weights.reduce(0, +)
    return weights.map { Float($0 / sum) }
}

/// One axis: `size` voxels apart by `stride`.
private func smoothed(
    _ volume: Volume<Float>, along size: Int, stride: Int, kernel: [Float], threads: Int
) -> Volume<Float> {
    let count = volume.voxels.count
    let reach = kernel.count / 2
    let block = size * stride
    let voxels = [Float](unsafeUninitializedCapacity: count) { target, filled in
        volume.voxels.withUnsafeBufferPointer { source in
            let ranges = evenRanges(of: 0..<count / stride, parts: threads)
            inParallel(ranges.count) { part in
                // A line is `stride` voxels side by side, all at one position of the axis.
                for line in ranges[part] {
                    let position = line % size
                    let start = line / size * block
                    let row = start + position * stride
                    for voxel in row..<row + stride { target[voxel] = 0 }
                    for tap in 0..<kernel.count {
                        let weight = kernel[tap]
                        let from = start + min(size - 1, max(0, position + tap - reach)) * stride
                        for offset in 0..<stride { target[row + offset] += weight * source[from + offset] }
                    }
                }
            }
        }
        filled = count
    }
    return Volume(shape: volume.shape, voxels: voxels)
}

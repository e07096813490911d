import Foundation
import Volumes

/// Windows of one shape that overlap each other: a voxel's logits are the mean of all windows that hold it, weighted by a
/// Gaussian around each window's centre, as nnU-Net does (Isensee et al. 2021).
///
/// Windows lie at places that follow from the volume's shape alone, so that the result does not depend on tiles.
struct SlidingWindows: Equatable, Sendable {
    let shape: ZYX<Int>
    /// The part of a window that the next one shares with it, along each axis; windows lie closer where that fills the
    /// volume evenly.
    let overlap: Double

    /// Where windows begin along an axis of so many voxels.
    private func origins(_ length: Int, _ axis: KeyPath<ZYX<Int>, Int>) -> [Int] {
        let window = shape[keyPath: axis]
        guard length > window else { return [0] }
        let step = max(1, Double(window) * (1 - overlap))
        let steps = Int((Double(length - window) / step).rounded(.up))
        return (0...steps).map { Int((Double($0 * (length - window)) / Double(steps)).rounded()) }
    }

    /// Those of a volume that share voxels with `box`.
    func windows(of volume: ZYX<Int>, touching box: Box) -> [Box] {
        func origins(_ axis: KeyPath<ZYX<Int>, Int>) -> [Int] {
            self.origins(volume[keyPath: axis], axis).filter {
                $0 < box.end[keyPath: axis] && $0 + shape[keyPath: axis] > box.origin[keyPath: axis]
            }
        }
        let (zs, ys, xs) = (origins(\.z), origins(\.y), origins(\.x))
        return zs.flatMap { z in ys.flatMap { y in xs.map { Box(origin: ZYX(z, y, $0), shape: shape) } } }
    }

    /// What a window's logits count, from the centre outwards, along an axis: a Gaussian of an eighth of the window.
    private func weights(_ length: Int) -> [Float] {
        let (centre, deviation) = (Double(length - 1) / 2, Double(length) / 8)
        return (0..<length).map {
            let distance = (Double($0) - centre) / deviation
            return Float(exp(-distance * distance / 2))
        }
    }

    /// The blended logits of a tile's output.
    ///
    /// - Parameters:
    ///   - input: all that windows of the output hold.
    ///   - forward: the network, of inputs of the windows' shape.
    func blend(
        _ tile: Tile, of volume: ZYX<Int>, from input: [Volume<Float>], channels: Int,
        _ forward: ([Volume<Float>]) throws -> [Volume<Float>]
    ) rethrows -> [Volume<Float>] {
        var sums = [Volume<Float>](repeating: Volume(shape: tile.output.shape), count: channels)
        var total = Volume<Float>(shape: tile.output.shape)
        let (zs, ys, xs) = (weights(shape.z), weights(shape.y), weights(shape.x))
        for window in windows(of: volume, touching: tile.output) {
            let logits = try forward(input.map { $0.cropped(to: window.relative(to: tile.input.origin)) })
            let shared = window.intersection(tile.output)
            for z in shared.origin.z..<shared.end.z {
                for y in shared.origin.y..<shared.end.y {
                    let (inWindow, x) = (
                        ZYX(z, y, shared.origin.x) - window.origin, shared.origin.x - window.origin.x
                    )
                    let place = ZYX(z, y, shared.origin.x) - tile.output.origin
                    let (source, target) = (
                        logits[0].index(inWindow.z, inWindow.y, x), total.index(place.z, place.y, place.x)
                    )
                    let weight = zs[inWindow.z] * ys[inWindow.y]
                    for step in 0..<shared.shape.x { total.voxels[target + step] += weight * xs[x + step] }
                    for channel in 0..<channels {
                        for step in 0..<shared.shape.x {
                            sums[channel].voxels[target + step] +=
                                weight * xs[x + step] * logits[channel].voxels[source + step]
                        }
                    }
                }
            }
        }
        for channel in 0..<channels {
            for voxel in total.voxels.indices { sums[channel].voxels[voxel] /= total.voxels[voxel] }
        }
        return sums
    }
}

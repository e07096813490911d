import Networks
import Tensors

/// Every segmentation architecture at a size that tests can afford, all else as its defaults have it.
enum SmallNetworks {
    static let names = [
        "unet", "unet-2015", "unet-2016", "residual-unet", "bottleneck-unet", "dense-unet", "nnunet",
        "nnunet-resenc", "hourglass", "stacked-hourglass",
    ]

    static func configuration(
        _ name: String, dimensions: Int, _ adjust: (inout NetworkConfiguration) -> Void = { _ in }
    ) throws -> NetworkConfiguration {
        var c = try Architecture.named(name).configuration(dimensions: dimensions)
        // A valid network of three levels would want more than 40 voxels.
        (c.levels, c.features, c.growth) = (c.padding == .valid ? 2 : 3, 4, 4)
        if name == "bottleneck-unet" { c.features = 8 }
        if name == "nnunet-resenc" { c.blocks = [1, 2] }
        adjust(&c)
        return c
    }

    /// Extents that the network takes, about `wanted` a side.
    static func extents(_ graph: Graph, atLeast wanted: Int) throws -> [Int] {
        zip(try graph.smallestInput(), graph.totalStride).map { smallest, stride in
            smallest + max(0, wanted - smallest + stride - 1) / stride * stride
        }
    }
}

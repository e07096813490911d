extension Signal {
    /// Convolutions of 1, `kernel` and 1 and a way past them, the middle one a quarter as wide (He et al. 2015).
    ///
    /// A stride is that of the middle convolution, which reads every voxel. The order has several layers.
    package func bottleneckBlock(
        _ channels: Int, kernel: Extents, stride: Extents = 1, _ kind: ResidualKind, _ name: String
    ) -> Signal {
        let width = max(1, channels / 4)
        return residual(
            [
                ResidualLayer(channels: width, kernel: 1, stride: 1),
                ResidualLayer(channels: width, kernel: kernel, stride: stride),
                ResidualLayer(channels: channels, kernel: 1, stride: 1),
            ], kind, name)
    }
}

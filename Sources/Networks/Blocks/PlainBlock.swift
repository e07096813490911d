extension Signal {
    /// Convolution, normalization, activation.
    package func plainBlock(
        _ channels: Int, kernel: Extents, stride: Extents = 1, bias: Bool? = nil, _ name: String
    ) -> Signal {
        convolution(channels, kernel: kernel, stride: stride, bias: bias, "\(name).convolution")
            .normalized("\(name).normalization").activated()
    }

    /// Normalization, activation, convolution: a layer of networks that normalize first.
    package func preactivatedBlock(
        _ channels: Int, kernel: Extents, stride: Extents = 1, bias: Bool? = nil, _ name: String
    ) -> Signal {
        normalized("\(name).normalization").activated()
            .convolution(channels, kernel: kernel, stride: stride, bias: bias, "\(name).convolution")
    }
}

extension Signal {
    /// Layers that each read all before them, and a 1-convolution that compresses the result to `channels`
    /// (Huang et al. 2017). With a stride, a convolution comes first.
    package func denseBlock(
        _ channels: Int, layers: Int, growth: Int, kernel: Extents, stride: Extents = 1, bias: Bool? = nil,
        _ name: String
    ) -> Signal {
        let isStrided = stride.list(dimensions).contains { $0 != 1 }
        let input =
            isStrided
            ? preactivatedBlock(
                self.channels, kernel: kernel, stride: stride, bias: bias, "\(name).downsampling") : self
        return input.denseLayers(layers, growth: growth, kernel: kernel, bias: bias, name)
            .preactivatedBlock(channels, kernel: 1, bias: bias, "\(name).compression")
    }

    /// This signal and, after its channels, `growth` of each of `count` layers. A layer is normalization, activation,
    /// convolution and reads this signal and all layers before it.
    package func denseLayers(
        _ count: Int, growth: Int, kernel: Extents, bias: Bool? = nil, _ name: String
    ) -> Signal {
        (0..<count).reduce(self) { signal, index in
            let layer = signal.preactivatedBlock(growth, kernel: kernel, bias: bias, "\(name).\(index)")
            return .concatenated([signal.cropped(to: layer), layer])
        }
    }
}

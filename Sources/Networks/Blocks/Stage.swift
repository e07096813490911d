// What architectures are built of, whatever the kind of block.
extension Signal {
    /// The blocks of one level, one after the other.
    ///
    /// - Parameters:
    ///   - channels: of each block's result. A dense stage is one block of as many layers, compressed to the last.
    ///   - stride: of the first block.
    ///   - c: says the order, shortcut, growth and biases of the blocks.
    package func stage(
        _ kind: BlockKind, _ channels: [Int], kernel: Extents, stride: Extents = 1, _ c: NetworkConfiguration,
        _ name: String
    ) -> Signal {
        let residual = ResidualKind(order: c.order, shortcut: c.shortcut, bias: c.biases)
        func chain(_ block: (Signal, _ channels: Int, _ stride: Extents, _ name: String) -> Signal) -> Signal {
            channels.indices.reduce(self) {
                block($0, channels[$1], $1 == 0 ? stride : 1, "\(name).\($1)")
            }
        }
        return switch kind {
        case .plain: chain { $0.plainBlock($1, kernel: kernel, stride: $2, bias: c.biases, $3) }
        case .residual: chain { $0.residualBlock($1, kernel: kernel, stride: $2, residual, $3) }
        case .bottleneck: chain { $0.bottleneckBlock($1, kernel: kernel, stride: $2, residual, $3) }
        case .dense:
            denseBlock(
                channels[channels.count - 1], layers: channels.count, growth: c.growth, kernel: kernel,
                stride: stride, bias: c.biases, name)
        }
    }

    /// What comes before the first block: nothing for plain ones, which start with a convolution; a convolution for
    /// all others, lest they activate or pass by the image itself; with normalization and activation where blocks
    /// end in an activation.
    func stem(_ kind: BlockKind, _ channels: Int, kernel: Extents, _ c: NetworkConfiguration, _ name: String)
        -> Signal
    {
        switch kind {
        case .plain: self
        case .residual where c.order == .original, .bottleneck where c.order == .original:
            plainBlock(channels, kernel: kernel, bias: c.biases, name)
        case .residual, .bottleneck, .dense:
            convolution(channels, kernel: kernel, bias: c.biases, "\(name).convolution")
        }
    }

    /// Logits: a 1-convolution, after normalization and activation where blocks of this kind end without.
    func head(_ kind: BlockKind, _ c: NetworkConfiguration, _ name: String) -> Signal {
        let endsLinear =
            switch kind {
            case .plain: false
            case .residual, .bottleneck: c.order.endsLinear
            case .dense: true
            }
        let signal = endsLinear ? normalized("\(name).normalization").activated() : self
        return signal.convolution(c.outputChannels, kernel: 1, bias: true, name)
    }
}

extension NetworkConfiguration {
    /// Checks that blocks can be built as configured.
    ///
    /// - Throws: ``NetworkConfigurationError`` with the setting that does not suit the others.
    func validateBlocks() throws {
        guard block == .residual || block == .bottleneck else { return }
        if block == .bottleneck, order.isOfOneLayer {
            throw NetworkConfigurationError(
                field: "order", found: order.rawValue,
                expected: "norm-relu-conv or conv-norm-relu in bottlenecks, which have three layers")
        }
        if padding == .valid, downsampling == .convolution {
            throw NetworkConfigurationError(
                field: "downsampling", found: downsampling.rawValue,
                expected: "max-pooling where padding is valid, as a shortcut past a stride has no middle")
        }
        guard zeroLastNorm else { return }
        if order != .original {
            throw NetworkConfigurationError(
                field: "zero_last_norm", found: "true",
                expected:
                    "false in the order \(order.rawValue), whose ReLU would let no gradient reach a branch of "
                    + "zeros; conv-norm-relu ends branches in their normalization")
        }
        try requireNormToZero()
    }

    /// - Throws: ``NetworkConfigurationError`` where the last normalizations are to start at 0 and there are none.
    func requireNormToZero() throws {
        guard zeroLastNorm, normalization == .none else { return }
        throw NetworkConfigurationError(
            field: "zero_last_norm", found: "true", expected: "false in a network without normalization")
    }
}

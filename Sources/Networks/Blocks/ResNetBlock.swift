/// A block of a residual network for classification, its layers named as in torchvision.
///
///     conv-norm-relu   x ─┬─ conv1 ─ bn1 ─ ReLU ─ conv2 ─ bn2 ─ + ─ ReLU
///                         └────────── downsample ───────────────┘
///     norm-relu-conv   x ─ bn1 ─ ReLU ─┬─ conv1 ─ bn2 ─ ReLU ─ conv2 ─ +
///                                      └────────── downsample ─────────┘
///
/// Where the shape stays, the shortcut is x itself.
struct ResNetBlock {
    /// Convolutions of 1, 3 and 1, the last four times as wide, in place of two of 3.
    let isBottleneck: Bool
    /// ``ResidualOrder/original`` or ``ResidualOrder/preactivation``.
    let order: ResidualOrder
    /// Past a block that changes the shape.
    let shortcut: Shortcut
    /// False for the plain twin (He et al. 2015), the same layers without shortcuts.
    var hasShortcut = true

    private struct Convolution {
        let kernel, channels, stride: Int
    }

    /// - Parameters:
    ///   - width: channels of the 3-convolutions.
    ///   - stride: of the first 3-convolution.
    func callAsFunction(_ input: Signal, width: Int, stride: Int, _ name: String) -> Signal {
        let layers =
            isBottleneck
            ? [
                Convolution(kernel: 1, channels: width, stride: 1),
                Convolution(kernel: 3, channels: width, stride: stride),
                Convolution(kernel: 1, channels: 4 * width, stride: 1),
            ]
            : [
                Convolution(kernel: 3, channels: width, stride: stride),
                Convolution(kernel: 3, channels: width, stride: 1),
            ]
        return order == .preactivation
            ? preactivated(input, layers, stride, name) : original(input, layers, stride, name)
    }

    private func original(_ input: Signal, _ layers: [Convolution], _ stride: Int, _ name: String) -> Signal {
        var branch = input
        for (index, layer) in layers.enumerated() {
            let isLast = index == layers.count - 1
            branch = convolved(branch, layer, "\(name).conv\(index + 1)")
                .normalized("\(name).bn\(index + 1)", endsBranch: isLast && hasShortcut)
            if !isLast { branch = branch.activated() }
        }
        guard hasShortcut else { return branch.activated() }
        return past(input, branch.channels, stride, isNormalized: true, name).joined(byResidual: branch, name)
            .activated()
    }

    /// A projection reads the activated input, as the branch does (He et al. 2016).
    private func preactivated(_ input: Signal, _ layers: [Convolution], _ stride: Int, _ name: String) -> Signal {
        let first = input.normalized("\(name).bn1").activated()
        var branch = first
        for (index, layer) in layers.enumerated() {
            if index > 0 { branch = branch.normalized("\(name).bn\(index + 1)").activated() }
            branch = convolved(branch, layer, "\(name).conv\(index + 1)")
        }
        guard hasShortcut else { return branch }
        let keepsShape = stride == 1 && input.channels == branch.channels
        return past(keepsShape ? input : first, branch.channels, stride, isNormalized: false, name)
            .joined(byResidual: branch, name)
    }

    private func convolved(_ signal: Signal, _ layer: Convolution, _ name: String) -> Signal {
        signal.convolution(layer.channels, kernel: Extents([layer.kernel]), stride: Extents([layer.stride]), name)
    }

    private func past(
        _ signal: Signal, _ channels: Int, _ stride: Int, isNormalized: Bool, _ name: String
    ) -> Signal {
        if stride == 1, signal.channels == channels { return signal }
        if shortcut == .identity { return signal.subsampled(Extents([stride]), channels: channels) }
        let projected = signal.convolution(channels, kernel: 1, stride: Extents([stride]), "\(name).downsample.0")
        return isNormalized ? projected.normalized("\(name).downsample.1") : projected
    }
}

extension Signal {
    /// Two convolutions, or one in the orders of a single layer, and a way past them (He et al. 2015, 2016).
    ///
    /// With a stride the first convolution has it; extents are rounded up, so that odd ones do.
    package func residualBlock(
        _ channels: Int, kernel: Extents, stride: Extents = 1, _ kind: ResidualKind, _ name: String
    ) -> Signal {
        let first = ResidualLayer(channels: channels, kernel: kernel, stride: stride)
        let second = ResidualLayer(channels: channels, kernel: kernel, stride: 1)
        return residual(kind.order.isOfOneLayer ? [first] : [first, second], kind, name)
    }

    /// This signal plus what `layers` make of it.
    ///
    /// The shortcut stays linear: with every order it reads the signal itself, not its activation.
    func residual(_ layers: [ResidualLayer], _ kind: ResidualKind, _ name: String) -> Signal {
        var branch = self
        for (index, layer) in layers.enumerated() {
            let place = "\(name).\(index)"
            branch = branch.applying(layer, kind, isLast: index == layers.count - 1, place)
        }
        let stride = layers.reduce(Array(repeating: 1, count: dimensions)) {
            zip($0, $1.stride.list(dimensions)).map { $0 * $1 }
        }
        let sum = cropped(to: branch)
            .shortcut(kind, branch.channels, stride: stride, "\(name).shortcut")
            .joined(byResidual: branch, name)
        return kind.order == .original ? sum.activated() : sum
    }

    private func applying(_ layer: ResidualLayer, _ kind: ResidualKind, isLast: Bool, _ name: String) -> Signal {
        func convolved(_ signal: Signal) -> Signal {
            signal.convolution(
                layer.channels, kernel: layer.kernel, stride: layer.stride, bias: kind.bias, "\(name).convolution")
        }
        func normalized(_ signal: Signal) -> Signal {
            signal.normalized("\(name).normalization", endsBranch: isLast && kind.order == .original)
        }
        switch kind.order {
        case .activationLinear, .preactivation: return convolved(normalized(self).activated())
        case .linearActivation: return normalized(convolved(self)).activated()
        case .original:
            let result = normalized(convolved(self))
            return isLast ? result : result.activated()
        }
    }

    /// This signal in the shape of a branch's result.
    private func shortcut(_ kind: ResidualKind, _ channels: Int, stride: [Int], _ name: String) -> Signal {
        let isStrided = stride.contains { $0 != 1 }
        if !isStrided, channels == self.channels { return self }
        switch kind.shortcut {
        case .identity where channels >= self.channels: return subsampled(Extents(stride), channels: channels)
        // There is no identity into fewer channels.
        case .identity, .projection: return projected(kind, channels, stride: Extents(stride), name)
        case .averagePooling:
            let pooled = isStrided ? averagePooled(Extents(stride)) : self
            return channels == self.channels ? pooled : pooled.projected(kind, channels, stride: 1, name)
        }
    }

    private func projected(_ kind: ResidualKind, _ channels: Int, stride: Extents, _ name: String) -> Signal {
        let result = convolution(channels, kernel: 1, stride: stride, "\(name).convolution")
        return kind.order == .original ? result.normalized("\(name).normalization") : result
    }
}

/// What the residual blocks of a network have in common.
package struct ResidualKind: Sendable {
    package var order: ResidualOrder
    package var shortcut: Shortcut
    /// Of the branch's convolutions; nil for where the network does not normalize.
    package var bias: Bool?

    package init(order: ResidualOrder, shortcut: Shortcut = .projection, bias: Bool? = nil) {
        self.order = order
        self.shortcut = shortcut
        self.bias = bias
    }
}

/// A convolution of a residual branch.
struct ResidualLayer {
    let channels: Int
    let kernel: Extents
    let stride: Extents
}

extension ResidualOrder {
    /// Whether a branch is one convolution.
    var isOfOneLayer: Bool { self == .linearActivation || self == .activationLinear }

    /// Whether nothing but sums follows a block's last convolution, so that the network's end must activate.
    var endsLinear: Bool { self == .activationLinear || self == .preactivation }
}

import Tensors

/// Convolution with `same` zero padding and stride 1; 2D or 3D by the kernel's length.
///
/// `[batch, in, z, y, x]` gives `[batch, out, z, y, x]`.
public final class Convolution: Layer {
    /// `[out, in, kz, ky, kx]`
    public let weight: Tensor
    /// `[out]`
    public let bias: Tensor?
    let kernel: [Int]

    /// - Parameters:
    ///   - kernel: odd extents, z, y, x.
    ///   - hasBias: false where a normalization follows, which would take it away.
    ///   - name: its full name in the network; the initial weight is a function of it and the seed.
    public init(
        _ input: Int, _ output: Int, kernel: [Int], hasBias: Bool, seed: UInt64, name: String, device: Device = .cpu
    ) throws {
        self.kernel = kernel
        let volume = kernel.reduce(1, *)
        weight = try HeInitialization.fanIn.weight(
            shape: [output, input] + kernel, fanIn: input * volume, fanOut: output * volume, seed: seed,
            name: "\(name).weight", device: device)
        bias = hasBias ? try trainable(.zeros([output], device: device)) : nil
    }

    init(weight: Tensor, bias: Tensor?, kernel: [Int]) {
        self.weight = weight
        self.bias = bias
        self.kernel = kernel
    }

    /// This layer with weights of its own, converted to `type`, that do not train.
    func copy(_ type: Tensor.ElementType) throws -> Convolution {
        Convolution(weight: try weight.frozen(type), bias: try bias?.frozen(type), kernel: kernel)
    }

    public func callAsFunction(_ input: Tensor) throws -> Tensor {
        try input.convolved(weight, bias: bias, stride: kernel.map { _ in 1 }, padding: kernel.map { $0 / 2 })
    }

    public var parameters: [NamedTensor] {
        [NamedTensor("weight", weight)] + (bias.map { [NamedTensor("bias", $0)] } ?? [])
    }
}

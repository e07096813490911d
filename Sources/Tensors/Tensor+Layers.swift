import CTorch

// The operations of convolutional networks. Their lists have one entry for each spatial axis, z, y, x or y, x;
// from their number follows whether an operation is 2D or 3D.
extension Tensor {
    /// Convolution. `[batch, in, z, y, x]` with a weight `[out, in / groups, kz, ky, kx]` gives
    /// `[batch, out, z', y', x']` with n' = (n + 2·padding − dilation·(k − 1) − 1) / stride + 1.
    public func convolved(
        _ weight: Tensor, bias: Tensor? = nil, stride: [Int], padding: [Int], dilation: [Int]? = nil,
        groups: Int = 1
    ) throws -> Tensor {
        try requireSpatialAxes([stride, padding, dilation ?? stride])
        let dilation = dilation ?? stride.map { _ in 1 }
        return try Tensor(
            ct_convolution(
                handle, weight.handle, bias?.handle, stride, padding, dilation, stride.count, groups))
    }

    /// Whether this libtorch can apply bias and ReLU inside the convolution on the CPU.
    public static var hasFusedConvolution: Bool { ct_has_fused_convolution() }

    /// Convolution, bias and optional ReLU in one pass over memory. For inference on the CPU, where
    /// ``hasFusedConvolution`` says it exists; it has no gradient and throws where gradients are recorded.
    public func convolvedFused(
        _ weight: Tensor, bias: Tensor?, stride: [Int], padding: [Int], relu: Bool
    ) throws -> Tensor {
        try requireSpatialAxes([stride, padding])
        let dilation = stride.map { _ in 1 }
        return try Tensor(
            ct_fused_convolution(
                handle, weight.handle, bias?.handle, stride, padding, dilation, stride.count, 1, relu))
    }

    /// Transposed convolution with a weight `[in, out / groups, kz, ky, kx]`:
    /// n' = (n − 1)·stride − 2·padding + dilation·(k − 1) + outputPadding + 1.
    public func convolvedTransposed(
        _ weight: Tensor, bias: Tensor? = nil, stride: [Int], padding: [Int]? = nil, outputPadding: [Int]? = nil,
        dilation: [Int]? = nil, groups: Int = 1
    ) throws -> Tensor {
        let zeros = stride.map { _ in 0 }
        let ones = stride.map { _ in 1 }
        let (padding, outputPadding) = (padding ?? zeros, outputPadding ?? zeros)
        let dilation = dilation ?? ones
        try requireSpatialAxes([stride, padding, outputPadding, dilation])
        return try Tensor(
            ct_transposed_convolution(
                handle, weight.handle, bias?.handle, stride, padding, outputPadding, dilation, stride.count, groups)
        )
    }

    /// `[batch, in]` with a weight `[out, in]` gives `[batch, out]`.
    public func transformed(_ weight: Tensor, bias: Tensor? = nil) throws -> Tensor {
        try Tensor(ct_linear(handle, weight.handle, bias?.handle))
    }

    /// The largest value of each window; windows that would cross the far border are left out.
    ///
    /// - Parameter padding: voxels on each side that are never the largest; at most half the kernel.
    public func maxPooled(_ kernel: [Int], stride: [Int]? = nil, padding: [Int]? = nil) throws -> Tensor {
        let padding = padding ?? kernel.map { _ in 0 }
        try requireSpatialAxes([kernel, stride ?? kernel, padding])
        return try Tensor(ct_max_pool(handle, kernel, stride ?? kernel, padding, kernel.count))
    }

    /// The mean of each window; windows that would cross the far border are left out.
    public func averagePooled(_ kernel: [Int], stride: [Int]? = nil) throws -> Tensor {
        try requireSpatialAxes([kernel, stride ?? kernel])
        // libtorch has no 3D average pooling of 16 bits on the CPU.
        if let type = elementType, type.isHalf, device == .cpu {
            return try to(.float32).averagePooled(kernel, stride: stride).to(type)
        }
        return try Tensor(ct_average_pool(handle, kernel, stride ?? kernel, kernel.count))
    }

    /// How values between voxel centres are found.
    public enum Interpolation: String, Codable, Sendable {
        case nearest, linear
    }

    /// Resampled to the spatial extents `size`; voxel edges, not centres, of the first and last voxel coincide.
    public func resampled(to size: [Int], _ interpolation: Interpolation) throws -> Tensor {
        try requireSpatialAxes([size])
        switch interpolation {
        case .nearest: return try Tensor(ct_upsample_nearest(handle, size, size.count))
        case .linear: return try Tensor(ct_upsample_linear(handle, size, size.count))
        }
    }

    /// Batch normalization (Ioffe & Szegedy 2015): (x − mean) / √(variance + ε) · scale + shift, a channel.
    ///
    /// With `training` mean and (biased) variance are the batch's, and the running ones, where given, move towards
    /// mean and unbiased variance: r ← (1 − momentum)·r + momentum·batch. Without it the running ones are used.
    public func batchNormalized(
        scale: Tensor?, shift: Tensor?, runningMean: Tensor?, runningVariance: Tensor?, training: Bool,
        momentum: Double = 0.1, epsilon: Double = 1e-5
    ) throws -> Tensor {
        try Tensor(
            ct_batch_norm(
                handle, scale?.handle, shift?.handle, runningMean?.handle, runningVariance?.handle, training,
                momentum,
                epsilon))
    }

    /// Group normalization (Wu & He 2018): statistics over the voxels and channels of each of `groups` groups.
    public func groupNormalized(groups: Int, scale: Tensor?, shift: Tensor?, epsilon: Double = 1e-5) throws
        -> Tensor
    {
        try Tensor(ct_group_norm(handle, groups, scale?.handle, shift?.handle, epsilon))
    }

    /// Instance normalization (Ulyanov et al. 2016): statistics over the voxels of each channel of each sample.
    public func instanceNormalized(scale: Tensor?, shift: Tensor?, epsilon: Double = 1e-5) throws -> Tensor {
        // A group a channel is the same computation, and libtorch has it channels-last.
        let shape = shape
        guard shape.count > 2 else { throw TensorError.valueCount(found: shape.count, shape: shape) }
        return try groupNormalized(groups: shape[1], scale: scale, shift: shift, epsilon: epsilon)
    }

    /// Mean binary cross-entropy of logits against `target` in 0…1; `weight` (broadcast) multiplies every element
    /// before the mean, which is over all elements.
    public func binaryCrossEntropy(withTarget target: Tensor, weight: Tensor? = nil) throws -> Tensor {
        try Tensor(ct_cross_entropy_with_logits(handle, target.handle, weight?.handle))
    }

    /// Lists shorter than the number of axes would be read past their end.
    private func requireSpatialAxes(_ lists: [[Int]]) throws {
        let rank = shape.count - 2
        for list in lists where list.count != rank {
            throw TensorError.libtorch(
                "\(list.count) numbers \(list) for the \(max(rank, 0)) spatial axes of \(shape)")
        }
    }
}

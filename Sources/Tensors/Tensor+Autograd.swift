import CTorch

extension Tensor {
    /// Whether operations on this tensor are recorded for ``backward()``.
    public var requiresGradient: Bool { ct_requires_gradient(handle) }

    /// Turns recording on or off; only floating-point leaves can be turned.
    public func setRequiresGradient(_ wanted: Bool) throws {
        try check(ct_set_requires_gradient(handle, wanted))
    }

    /// What ``backward()`` has added up for this leaf; nil where nothing has.
    public func gradient() throws -> Tensor? {
        var gradient: OpaquePointer?
        try check(ct_gradient(handle, &gradient))
        return try gradient.map { try Tensor($0) }
    }

    /// Forgets the gradient, and with it its memory.
    public func clearGradient() throws { try check(ct_clear_gradient(handle)) }

    /// Adds to the gradient of every leaf this scalar was computed from; the recorded graph is consumed.
    public func backward() throws { try check(ct_backward(handle)) }

    /// Adds to the gradient of every leaf (and of every tensor that retains its own) that this tensor was computed
    /// from, `gradient` being that of some scalar with respect to this tensor.
    ///
    /// - Parameter keeping: whether the recorded graph stays, for another pass.
    public func backward(from gradient: Tensor, keeping: Bool = false) throws {
        try check(ct_backward_from(handle, gradient.handle, keeping))
    }

    /// Back from several tensors at once, each from the gradient of what is asked for with respect to it.
    public static func backward(from gradients: [(tensor: Tensor, gradient: Tensor)]) throws {
        try withExtendedLifetime(gradients) {
            try check(
                ct_backward_from_all(
                    gradients.map(\.tensor.handle), gradients.map(\.gradient.handle), gradients.count))
        }
    }

    /// Makes ``backward()`` leave a gradient at this tensor although it is no leaf.
    public func retainGradient() throws { try check(ct_retain_gradient(handle)) }

    /// The same values, outside of the recorded graph.
    public func detached() throws -> Tensor { try Tensor(ct_detach(handle)) }
}

/// Runs `body` on this thread without recording for autograd.
public func withoutGradients<Result>(_ body: () throws -> Result) rethrows -> Result {
    let previous = ct_set_gradients_enabled(false)
    defer { _ = ct_set_gradients_enabled(previous) }
    return try body()
}

/// Runs `body` on this thread with convolutions (and on GPUs matrix products) in `precision`, by libtorch's autocast:
/// parameters stay f32 and are converted once; that copy is gone when the outermost scope ends.
///
/// The backward pass and the optimizer's step belong outside of it.
public func withAutocast<Result>(
    _ precision: Precision, on device: Device, _ body: () throws -> Result
) rethrows -> Result {
    let previous = ct_autocast_enter(device.code, precision.elementType.rawValue)
    defer { ct_autocast_leave(device.code, previous) }
    return try body()
}

import CTorch

extension Tensor {
    /// Joins tensors along an existing axis; the other extents must agree.
    public static func concatenate(_ tensors: [Tensor], axis: Int) throws -> Tensor {
        let handles: [OpaquePointer?] = tensors.map(\.handle)
        return try withExtendedLifetime(tensors) {
            try Tensor(ct_concatenate(handles, handles.count, axis))
        }
    }

    /// A view of `range` along `axis`; it shares storage with this tensor.
    public func narrowed(axis: Int, to range: Range<Int>) throws -> Tensor {
        try Tensor(ct_narrow(handle, axis, range.lowerBound, range.count))
    }

    /// A view of one box: a range for each of the last `ranges.count` axes.
    public func cropped(to ranges: [Range<Int>]) throws -> Tensor {
        let first = shape.count - ranges.count
        return try ranges.enumerated().reduce(self) { try $0.narrowed(axis: first + $1.offset, to: $1.element) }
    }

    /// This tensor with a margin of `value`: for each of the last axes the number of elements before and after it
    /// (negative numbers crop).
    public func padded(_ margins: [(before: Int, after: Int)], value: Double = 0) throws -> Tensor {
        let amounts = Self.lastAxisFirst(margins)
        return try Tensor(ct_pad(handle, amounts, amounts.count, value))
    }

    /// This tensor with a mirrored margin (the border element itself not repeated) along its last axes.
    public func reflected(_ margins: [(before: Int, after: Int)]) throws -> Tensor {
        let amounts = Self.lastAxisFirst(margins)
        return try Tensor(ct_reflect(handle, amounts, amounts.count))
    }

    /// This tensor with a margin that continues at its opposite side, along its last axes.
    public func wrapped(_ margins: [(before: Int, after: Int)]) throws -> Tensor {
        let amounts = Self.lastAxisFirst(margins)
        return try Tensor(ct_wrap(handle, amounts, amounts.count))
    }

    /// This tensor with the order of elements along `axes` reversed.
    public func flipped(_ axes: [Int]) throws -> Tensor { try Tensor(ct_flip(handle, axes, axes.count)) }

    /// The same elements under another shape; -1 stands for the extent that follows from the others.
    public func reshaped(_ shape: [Int]) throws -> Tensor { try Tensor(ct_reshape(handle, shape, shape.count)) }

    /// A view with the axes in another order.
    public func permuted(_ axes: [Int]) throws -> Tensor { try Tensor(ct_permute(handle, axes, axes.count)) }

    /// libtorch lists margins from the last axis backwards.
    private static func lastAxisFirst(_ margins: [(before: Int, after: Int)]) -> [Int] {
        margins.reversed().flatMap { [$0.before, $0.after] }
    }
}

import CTorch

// Element-wise arithmetic, with libtorch's broadcasting.
extension Tensor {
    public static func + (a: Tensor, b: Tensor) throws -> Tensor { try Tensor(ct_add(a.handle, b.handle)) }
    public static func - (a: Tensor, b: Tensor) throws -> Tensor { try Tensor(ct_subtract(a.handle, b.handle)) }
    public static func * (a: Tensor, b: Tensor) throws -> Tensor { try Tensor(ct_multiply(a.handle, b.handle)) }
    public static func / (a: Tensor, b: Tensor) throws -> Tensor { try Tensor(ct_divide(a.handle, b.handle)) }

    public static func + (a: Tensor, b: Double) throws -> Tensor { try Tensor(ct_add_scalar(a.handle, b)) }
    public static func - (a: Tensor, b: Double) throws -> Tensor { try Tensor(ct_add_scalar(a.handle, -b)) }
    public static func * (a: Tensor, b: Double) throws -> Tensor { try Tensor(ct_multiply_scalar(a.handle, b)) }
    public static func / (a: Tensor, b: Double) throws -> Tensor { try Tensor(ct_multiply_scalar(a.handle, 1 / b)) }

    public static func + (a: Double, b: Tensor) throws -> Tensor { try b + a }
    public static func - (a: Double, b: Tensor) throws -> Tensor { try -b + a }
    public static func * (a: Double, b: Tensor) throws -> Tensor { try b * a }
    public static func / (a: Double, b: Tensor) throws -> Tensor { try Tensor(ct_divide_scalar_by(a, b.handle)) }

    public static prefix func - (a: Tensor) throws -> Tensor { try a * -1 }

    /// Adds `scale` · `other` in place.
    public func add(_ other: Tensor, scale: Double = 1) throws {
        try check(ct_add_into(handle, other.handle, scale))
    }

    /// Multiplies by a number in place.
    public func multiply(by factor: Double) throws { try check(ct_multiply_into(handle, factor)) }

    public func power(_ exponent: Double) throws -> Tensor { try Tensor(ct_power(handle, exponent)) }
    public func squareRoot() throws -> Tensor { try Tensor(ct_square_root(handle)) }
    public func exponential() throws -> Tensor { try Tensor(ct_exponential(handle)) }
    public func logarithm() throws -> Tensor { try Tensor(ct_logarithm(handle)) }
    public func absolute() throws -> Tensor { try Tensor(ct_absolute(handle)) }
    /// To the nearest whole number, halves to the even one.
    public func rounded() throws -> Tensor { try Tensor(ct_round(handle)) }
    public func clamped(_ range: ClosedRange<Double>) throws -> Tensor {
        try Tensor(ct_clamp(handle, range.lowerBound, range.upperBound))
    }
    public func minimum(_ other: Tensor) throws -> Tensor { try Tensor(ct_minimum(handle, other.handle)) }
    public func maximum(_ other: Tensor) throws -> Tensor { try Tensor(ct_maximum(handle, other.handle)) }

    /// A mask of `bool`: where elements exceed `limit`.
    public func isGreater(than limit: Double) throws -> Tensor { try Tensor(ct_greater(handle, limit)) }
}

// Activations.
extension Tensor {
    public func sigmoid() throws -> Tensor { try Tensor(ct_sigmoid(handle)) }
    /// log(1 + eˣ)
    public func softplus() throws -> Tensor { try Tensor(ct_softplus(handle)) }
    public func relu() throws -> Tensor { try Tensor(ct_relu(handle)) }

    /// ReLU in this tensor's own storage. Autograd allows it where what made the tensor does not need its output,
    /// as convolutions and normalizations do not; elsewhere the backward pass throws.
    @discardableResult
    public func reluInPlace() throws -> Tensor {
        try check(ct_relu_into(handle))
        return self
    }

    /// x where it is positive, slope · x elsewhere.
    public func leakyReLU(slope: Double) throws -> Tensor { try Tensor(ct_leaky_relu(handle, slope)) }

    /// Leaky ReLU in this tensor's own storage; see ``reluInPlace()``.
    @discardableResult
    public func leakyReLUInPlace(slope: Double) throws -> Tensor {
        try check(ct_leaky_relu_into(handle, slope))
        return self
    }
}

// Reductions over `axes`; over everything, to a scalar, where they are empty.
extension Tensor {
    public func sum(_ axes: [Int] = [], keepingAxes: Bool = false) throws -> Tensor {
        try Tensor(ct_sum(handle, axes, axes.count, keepingAxes))
    }

    public func mean(_ axes: [Int] = [], keepingAxes: Bool = false) throws -> Tensor {
        try Tensor(ct_mean(handle, axes, axes.count, keepingAxes))
    }

    public func largest(_ axes: [Int] = [], keepingAxes: Bool = false) throws -> Tensor {
        try Tensor(ct_largest(handle, axes, axes.count, keepingAxes))
    }

    public func smallest(_ axes: [Int] = [], keepingAxes: Bool = false) throws -> Tensor {
        try Tensor(ct_smallest(handle, axes, axes.count, keepingAxes))
    }
}

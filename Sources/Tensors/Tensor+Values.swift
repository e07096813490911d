import CTorch

// Values in, values out.
extension Tensor {
    /// A tensor of `values` in row-major order.
    ///
    /// - Throws: ``TensorError/valueCount(found:shape:)`` where they do not fill `shape`.
    public convenience init<Element: TensorElement>(
        _ values: [Element], shape: [Int], device: Device = .cpu
    ) throws {
        try self.init(values.withUnsafeBytes { try Tensor.handle($0, Element.elementType, shape, device) })
    }

    /// A tensor with a copy of `values`, in row-major order.
    public convenience init<Element: TensorElement>(
        _ values: UnsafeBufferPointer<Element>, shape: [Int], device: Device = .cpu
    ) throws {
        try self.init(Tensor.handle(UnsafeRawBufferPointer(values), Element.elementType, shape, device))
    }

    /// A tensor from the bytes of its elements, little-endian and row-major.
    public convenience init(
        bytes: UnsafeRawBufferPointer, type: ElementType, shape: [Int], device: Device = .cpu
    ) throws {
        try self.init(Tensor.handle(bytes, type, shape, device))
    }

    /// A tensor on the processor that `write` fills, in row-major order; it finds whatever memory held.
    ///
    /// - Parameter device: where it will be moved to; a GPU takes it from memory that the system keeps in place.
    public convenience init<Element: TensorElement>(
        _ type: Element.Type, shape: [Int], for device: Device,
        write: (UnsafeMutableBufferPointer<Element>) throws -> Void
    ) throws {
        try device.requirePresence()
        try self.init(ct_uninitialized(Element.elementType.rawValue, device == .cuda, shape, shape.count))
        try withUnsafeElements(of: type, write)
    }

    /// A scalar.
    public convenience init(_ value: Float, device: Device = .cpu) throws {
        try self.init([value], shape: [], device: device)
    }

    /// A tensor of zeros.
    public static func zeros(
        _ shape: [Int], type: ElementType = .float32, device: Device = .cpu
    ) throws -> Tensor {
        try full(shape, 0, type: type, device: device)
    }

    /// A tensor of one value.
    public static func full(
        _ shape: [Int], _ value: Double, type: ElementType = .float32, device: Device = .cpu
    ) throws -> Tensor {
        try device.requirePresence()
        return try Tensor(ct_full(value, type.rawValue, device.code, shape, shape.count))
    }

    /// A tensor of another shape in the type, device and memory format of this one, to be assigned to: it holds what memory
    /// held.
    package func uninitialized(_ shape: [Int]) throws -> Tensor {
        try Tensor(ct_uninitialized_like(handle, shape, shape.count))
    }

    /// Zeros in the shape, type, device and memory format of this tensor.
    public func zerosLike() throws -> Tensor { try Tensor(ct_full_like(handle, 0)) }

    /// The elements in row-major order, converted to f32.
    public func floats() throws -> [Float] { try to(.float32).values(of: Float.self) }

    /// The elements in row-major order.
    ///
    /// - Throws: ``TensorError/elementType(found:expected:)`` where the tensor's type is another.
    public func values<Element: TensorElement>(of type: Element.Type) throws -> [Element] {
        try [Element](unsafeUninitializedCapacity: count) { buffer, initialized in
            let room = UnsafeMutableBufferPointer(rebasing: buffer[..<count])
            try read(into: room)
            initialized = count
        }
    }

    /// Copies the elements, in row-major order, into `buffer`, which must have their number and type.
    public func read<Element: TensorElement>(into buffer: UnsafeMutableBufferPointer<Element>) throws {
        guard elementType == Element.elementType else {
            throw TensorError.elementType(
                found: elementType.map { "\($0)" } ?? "another type", expected: "\(Element.elementType)")
        }
        guard buffer.count == count else { throw TensorError.valueCount(found: buffer.count, shape: shape) }
        try read(bytes: UnsafeMutableRawBufferPointer(buffer))
    }

    /// Copies the bytes of the elements, little-endian and row-major, into `bytes`.
    public func read(bytes: UnsafeMutableRawBufferPointer) throws {
        try check(ct_read(handle, bytes.baseAddress, bytes.count))
    }

    /// Calls `body` with the elements themselves, in the order they have in memory: of a tensor in channels-last format the
    /// channels of a voxel lie together.
    ///
    /// - Throws: ``TensorError`` where the tensor is on another device, has gaps or another element type.
    public func withUnsafeElements<Element: TensorElement, Result>(
        of type: Element.Type, _ body: (UnsafeMutableBufferPointer<Element>) throws -> Result
    ) throws -> Result {
        guard elementType == Element.elementType, let data = ct_data(handle) else {
            throw TensorError.state(
                "a tensor of \(Element.elementType) on the processor, without gaps, is expected")
        }
        return try withExtendedLifetime(self) {
            try body(UnsafeMutableBufferPointer(start: data.assumingMemoryBound(to: Element.self), count: count))
        }
    }

    /// The value of a scalar.
    public func item() throws -> Float {
        guard count == 1 else { throw TensorError.valueCount(found: 1, shape: shape) }
        return try floats()[0]
    }

    private static func handle(
        _ bytes: UnsafeRawBufferPointer, _ type: ElementType, _ shape: [Int], _ device: Device
    ) throws -> OpaquePointer? {
        let (needed, overflow) = elementCount(shape)
        guard !overflow, needed == bytes.count / type.size, bytes.count % type.size == 0 else {
            throw TensorError.valueCount(found: bytes.count / type.size, shape: shape)
        }
        let made = ct_from_bytes(bytes.baseAddress, bytes.count, type.rawValue, shape, shape.count)
        guard device == .cuda, let made else { return made }
        defer { ct_release(made) }
        try device.requirePresence()
        return ct_to_device(made, device.code)
    }

    /// Number of elements of a shape; `overflow` where it is negative somewhere or exceeds what an Int counts.
    static func elementCount(_ shape: [Int]) -> (count: Int, overflow: Bool) {
        var count = 1
        for extent in shape {
            guard extent >= 0 else { return (0, true) }
            let (product, overflow) = count.multipliedReportingOverflow(by: extent)
            if overflow { return (0, true) }
            count = product
        }
        return (count, false)
    }
}

// The same values elsewhere or otherwise.
extension Tensor {
    /// This tensor on `device`; itself where it is there already.
    public func to(_ device: Device) throws -> Tensor {
        try device.requirePresence()
        return try Tensor(ct_to_device(handle, device.code))
    }

    /// This tensor with its elements converted to `type`.
    public func to(_ type: ElementType) throws -> Tensor { try Tensor(ct_to_type(handle, type.rawValue)) }

    /// This tensor in the given order in memory; itself where it has it already.
    public func contiguous(_ format: MemoryFormat = .contiguous) throws -> Tensor {
        try Tensor(ct_to_format(handle, format.rawValue))
    }

    /// A copy in storage of its own, in the same memory format.
    public func copy() throws -> Tensor { try Tensor(ct_clone(handle)) }

    /// Overwrites this tensor's elements with those of `source`, of the same shape; type, device and memory format
    /// stay. No gradient is recorded.
    public func assign(_ source: Tensor) throws { try check(ct_copy_into(handle, source.handle)) }
}

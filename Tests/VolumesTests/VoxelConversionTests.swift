import Testing
import Volumes

struct VoxelConversionTests {
    static let shape = ZYX(2, 3, 4)

    private static func numbers<Element: VoxelElement>(_ type: Element.Type) -> VoxelBuffer {
        VoxelBuffer(Volume(shape: shape, voxels: (0..<24).map { Element(exactly: 5 * $0)! }))
    }

    /// The numbers 0, 5, … 115 in a type.
    private static func numbers(_ type: ElementType) -> VoxelBuffer {
        switch type {
        case .uint8: numbers(UInt8.self)
        case .int8: numbers(Int8.self)
        case .uint16: numbers(UInt16.self)
        case .int16: numbers(Int16.self)
        case .uint32: numbers(UInt32.self)
        case .int32: numbers(Int32.self)
        case .uint64: numbers(UInt64.self)
        case .int64: numbers(Int64.self)
        case .float32: numbers(Float.self)
        case .float64: numbers(Double.self)
        }
    }

    @Test(arguments: ElementType.allCases, ElementType.allCases)
    func numbersThatBothTypesHoldStayTheSame(source: ElementType, target: ElementType) throws {
        #expect(try Self.numbers(source).converted(to: target) == Self.numbers(target))
    }

    @Test(arguments: [
        (0, ElementType.uint64), (255, .uint8), (65_535, .uint16), (4_294_967_295, .uint32), (-128, .int8),
        (-32_768, .int16), (-2_147_483_648, .int32), (-0x1p63, .int64), (0x1.fffffffffffffp63, .uint64),
    ])
    func theLastNumberOfATypeIsConverted(value: Double, type: ElementType) throws {
        let converted = try Self.one(value).converted(to: type)
        #expect(try converted.converted(to: Double.self).voxels == [value])
    }

    @Test(arguments: [
        (-1, ElementType.uint64), (256, .uint8), (65_536, .uint16), (4_294_967_296, .uint32), (-129, .int8),
        (-32_769, .int16), (2_147_483_648, .int32), (0x1p63, .int64), (0x1p64, .uint64), (0.5, .uint8),
        (.nan, .int32), (.infinity, .uint64), (1e300, .int64),
    ])
    func noNumberIsWrappedOrTruncated(value: Double, type: ElementType) {
        let fault = #expect(throws: UnrepresentableValue.self) { try Self.one(value).converted(to: type) }
        #expect(fault?.description.hasSuffix(" at z 0, y 0, x 0 cannot be written as \(type.rawValue)") == true)
    }

    @Test func integersAreComparedWithoutRounding() throws {
        let label: UInt64 = (1 << 53) + 1
        #expect(try Self.one(label).converted(to: Int64.self).voxels == [Int64(label)])
        #expect(throws: UnrepresentableValue.self) { try Self.one(UInt64.max).converted(to: .int64) }
    }

    @Test func numbersAreRoundedToFloatingPoint() throws {
        #expect(try Self.one(UInt32(16_777_217)).converted(to: Float.self).voxels == [16_777_216])
        #expect(try Self.one(0.1).converted(to: Float.self).voxels == [0.1])
    }

    private static func one<Element: VoxelElement>(_ value: Element) -> VoxelBuffer {
        VoxelBuffer(Volume(shape: ZYX(1, 1, 1), voxels: [value]))
    }
}

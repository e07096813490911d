import Foundation
import Testing
import Volumes

struct ConversionTests {
    private static let values: [Double] = [0, 1, 127, 128, 255, 256, 65_535, 65_536, 4_294_967_295, -1, -128, 0.5]

    /// Every pair of types, by the value's own bounds.
    @Test(arguments: ElementType.allCases, ElementType.allCases)
    func aValueIsKeptOrRefused(source: ElementType, target: ElementType) throws {
        func holds(_ type: ElementType, _ value: Double) -> Bool {
            if !type.isInteger { return Double(Float(value)) == value || type == .float64 }
            let bits = Double(8 * type.size)
            let (low, high) = type.rawValue.hasPrefix("u") ? (0, bits) : (-pow(2, bits - 1), bits - 1)
            return value == value.rounded() && value >= low && value < pow(2, high)
        }
        for value in Self.values where holds(source, value) {
            let one = try VoxelBuffer(Volume(shape: ZYX(1, 1, 2), voxels: [0, value])).converted(to: source)
            if holds(target, value) || !target.isInteger {
                let result = try one.converted(to: target)
                #expect(result.elementType == target)
                #expect(
                    try result.converted(to: Double.self).voxels == [
                        0, target == .float32 ? Double(Float(value)) : value,
                    ])
            } else {
                #expect { try one.converted(to: target) } throws: {
                    ($0 as? UnrepresentableValue)?.place == ZYX(0, 0, 1)
                }
            }
        }
    }

    /// Rounding is no overflow.
    @Test func aNumberBeyondFloatIsRefused() throws {
        let large = VoxelBuffer(Volume(shape: ZYX(1, 1, 1), voxels: [1e300]))
        #expect(throws: UnrepresentableValue.self) { try large.converted(to: .float32) }
        let infinite = VoxelBuffer(Volume(shape: ZYX(1, 1, 1), voxels: [Double.infinity]))
        #expect(try infinite.converted(to: Float.self).voxels == [.infinity])
    }
}

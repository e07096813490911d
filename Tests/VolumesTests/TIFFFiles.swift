import Foundation
import Testing
import Volumes

/// The TIFF files of the tests (`Data/TIFF/make.py`) and what they hold.
enum TIFFFiles {
    static let shape = ZYX(3, 9, 21)

    static func path(_ name: String) -> String {
        Bundle.module.url(forResource: name, withExtension: "tif", subdirectory: "Data/TIFF")?.path ?? name
    }

    /// The values of `pattern` in `make.py`.
    static func pattern(_ elementType: ElementType, shape: ZYX<Int> = shape) -> VoxelBuffer {
        func buffer<Element: VoxelElement>(_ make: (UInt64) -> Element) -> VoxelBuffer {
            var volume = Volume<Element>(shape: shape)
            for z in 0..<shape.z {
                for y in 0..<shape.y {
                    for x in 0..<shape.x {
                        let position = UInt64(z * 7919 + y * 104729 + x * 1_299_709 + 1)
                        volume[z, y, x] = make(position &* 0x9E37_79B9_7F4A_7C15)
                    }
                }
            }
            return VoxelBuffer(volume)
        }
        return switch elementType {
        case .uint8: buffer { UInt8($0 >> 56) }
        case .int8: buffer { Int8(truncatingIfNeeded: $0 >> 56) }
        case .uint16: buffer { UInt16($0 >> 48) }
        case .int16: buffer { Int16(truncatingIfNeeded: $0 >> 48) }
        case .uint32: buffer { UInt32($0 >> 32) }
        case .int32: buffer { Int32(truncatingIfNeeded: $0 >> 32) }
        case .uint64: buffer { $0 }
        case .int64: buffer { Int64(bitPattern: $0) }
        case .float32: buffer { Float(Double($0 >> 44) / 8 - 1000) }
        case .float64: buffer { Double($0 >> 44) / 8 - 1000 }
        }
    }
}

/// A voxel buffer's part within `box`.
func cropped(_ buffer: VoxelBuffer, to box: Box) -> VoxelBuffer {
    func crop<Element: VoxelElement>(_ type: Element.Type) -> VoxelBuffer {
        VoxelBuffer(buffer.volume(of: type).cropped(to: box))
    }
    return crop(buffer.elementType.scalar)
}

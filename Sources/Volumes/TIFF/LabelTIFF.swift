/// Which TIFF holds a volume of labels.
public enum LabelTIFF {
    /// ImageJ's 16 bits up to label 65,535 and below 4 GB, which every program opens; 32 bits in OME-TIFF beyond.
    /// Never floating point, which merges labels above 2²⁴, and never 64 bits, which few programs read.
    ///
    /// - Throws: `UnrepresentableValue` for a label beyond 32 bits.
    public static func flavor(
        maximumLabel: UInt64, shape: ZYX<Int>
    ) throws -> (TIFFWriter.Flavor, ElementType) {
        guard maximumLabel <= UInt64(UInt32.max) else {
            throw UnrepresentableValue(value: String(maximumLabel), elementType: .uint32)
        }
        if maximumLabel > UInt64(UInt16.max) { return (.ome, .uint32) }
        return (flavor(of: .uint16, shape: shape), .uint16)
    }

    /// ImageJ's below 4 GB, OME-TIFF beyond.
    public static func flavor(of type: ElementType, shape: ZYX<Int>) -> TIFFWriter.Flavor {
        ImageJWriter.fits(shape, type) ? .imageJ : .ome
    }
}

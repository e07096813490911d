import Foundation
import TestSupport
import Testing
import Volumes

@Suite struct TIFFWriterTests {
    static let shape = ZYX(5, 40, 33)
    static let nanometres = VoxelSize(ZYX(40, 10, 8), .nanometer)

    private func write(
        _ buffer: VoxelBuffer, to path: String, _ flavor: TIFFWriter.Flavor, _ voxelSize: VoxelSize?
    ) throws {
        let writer = try TIFFWriter(
            path: path, flavor: flavor, shape: buffer.shape, elementType: buffer.elementType, voxelSize: voxelSize)
        for z in stride(from: 0, to: buffer.shape.z, by: 2) {
            let box = Box(
                origin: ZYX(z, 0, 0), shape: ZYX(min(2, buffer.shape.z - z), buffer.shape.y, buffer.shape.x))
            try writer.write(cropped(buffer, to: box), atZ: z)
        }
        try writer.finish()
    }

    @Test(arguments: [
        (TIFFWriter.Flavor.imageJ, ElementType.uint8), (.imageJ, .uint16), (.imageJ, .float32),
        (.ome, .uint8), (.ome, .int8), (.ome, .uint16), (.ome, .int16), (.ome, .uint32), (.ome, .int32),
        (.ome, .float32), (.ome, .float64),
    ])
    func readsBackWhatItWrote(flavor: TIFFWriter.Flavor, elementType: ElementType) throws {
        let scratch = ScratchFolder()
        let buffer = TIFFFiles.pattern(elementType, shape: Self.shape)
        let sizes = [
            Self.nanometres, VoxelSize(ZYX(0.04, 0.0042, 0.0041), .micrometer),
            VoxelSize(ZYX(0.1, 0.2, 0.3), .millimeter),
        ]
        for voxelSize in sizes {
            let path = scratch.path("a.tif")
            try write(buffer, to: path, flavor, voxelSize)
            let reader = try TIFFReader(path: path)
            #expect(try reader.read(Box(Self.shape)) == buffer)
            #expect(reader.info.voxelSize.unit == voxelSize.unit)
            let stated = try #require(reader.info.voxelSize.complete)
            #expect(stated.agrees(with: voxelSize, tolerance: 1e-5))
        }
        #expect(scratch.contents == ["a.tif"])
    }

    @Test(arguments: TIFFWriter.Flavor.allCases)
    func anUnknownVoxelSizeStaysUnknown(flavor: TIFFWriter.Flavor) throws {
        let scratch = ScratchFolder()
        let path = scratch.path("a.tif")
        try write(TIFFFiles.pattern(.uint8), to: path, flavor, nil)
        #expect(try TIFFReader(path: path).info.voxelSize == .none)
    }

    @Test func anImageJStackIsContiguousAndDescribed() throws {
        let scratch = ScratchFolder()
        let path = scratch.path("a.tif")
        let labels = Volume<UInt16>(shape: ZYX(2, 3, 4), voxels: (0..<24).map { UInt16($0 * 11) })
        try write(VoxelBuffer(labels), to: path, .imageJ, VoxelSize(ZYX(0.04, 0.01, 0.008), .micrometer))
        let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        #expect(bytes.prefix(8) == Data([0x49, 0x49, 42, 0, 8, 0, 0, 0]))
        let lines = """
            ImageJ=1.54f
            images=2
            slices=2
            unit=micron
            spacing=0.04
            loop=false
            min=0.0
            max=253.0

            """
        #expect(bytes.range(of: Data(lines.utf8)) != nil)
        let values = labels.voxels.withUnsafeBytes { Data($0) }
        #expect(bytes.range(of: values) != nil)
    }

    @Test func anAbandonedFileLeavesNothing() throws {
        let scratch = ScratchFolder()
        for flavor in TIFFWriter.Flavor.allCases {
            let path = scratch.path("a.tif")
            var writer: TIFFWriter? = try TIFFWriter(
                path: path, flavor: flavor, shape: TIFFFiles.shape, elementType: .uint8, voxelSize: nil)
            #expect(scratch.contents.count == 1)
            #expect(throws: FileFault(path, "cannot be completed: 0 of 3 sections were written")) {
                try writer?.finish()
            }
            writer = nil
            #expect(scratch.contents.isEmpty)
        }
    }

    @Test(arguments: TIFFWriter.Flavor.allCases)
    func aFolderThatCannotBeMadeIsAFault(flavor: TIFFWriter.Flavor) throws {
        #expect(throws: FileFault("/dev/null/folder", "cannot be created: Not a directory")) {
            try TIFFWriter(
                path: "/dev/null/folder/a.tif", flavor: flavor, shape: TIFFFiles.shape, elementType: .uint8,
                voxelSize: nil)
        }
    }

    @Test func imageJHoldsOnlyItsTypes() {
        #expect(throws: FileFault("a.tif", "ImageJ's TIFF holds uint8, uint16 or float32, not uint32")) {
            try TIFFWriter(
                path: "a.tif", flavor: .imageJ, shape: TIFFFiles.shape, elementType: .uint32, voxelSize: nil)
        }
    }

    @Test func labelsTakeTheSmallestTIFFThatHoldsThem() throws {
        func choice(_ label: UInt64, _ shape: ZYX<Int>) throws -> String {
            let (flavor, elementType) = try LabelTIFF.flavor(maximumLabel: label, shape: shape)
            return "\(flavor) \(elementType)"
        }
        let small = ZYX(10, 100, 100)
        #expect(try choice(65_535, small) == "imageJ uint16")
        #expect(try choice(65_536, small) == "ome uint32")
        #expect(try choice(10, ZYX(2_048, 1_024, 1_024)) == "ome uint16")
        #expect(throws: UnrepresentableValue.self) {
            try LabelTIFF.flavor(maximumLabel: 1 << 32, shape: small)
        }
    }
}

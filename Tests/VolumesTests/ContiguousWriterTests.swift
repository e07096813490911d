import Foundation
import TestSupport
import Testing
import Volumes

/// NIfTI and MRC files beside those that nibabel and mrcfile write (`Data/NIfTI/make.py`, `Data/MRC/make.py`).
struct ContiguousWriterTests {
    static let nanometres = VoxelSize(ZYX(40, 10, 8), .nanometer)

    @Test(
        arguments: [
            (
                "NIfTI/written-one.nii", nanometres, ElementType.uint16, TIFFFiles.shape,
                ZYX(30_000.0, -2_000, 1_500)
            ),
            (
                "NIfTI/written-two.nii", VoxelSize(ZYX(1.5, 0.5, 0.25), .millimeter), .int8, ZYX(1, 1, 32_768),
                nil
            ),
            ("MRC/written.mrc", nanometres, .int16, TIFFFiles.shape, ZYX(30_000.0, -2_000, 1_500)),
        ] as [(String, VoxelSize, ElementType, ZYX<Int>, ZYX<Double>?)])
    func aFileHasTheBytesOfTheReferenceLibrary(
        name: String, voxelSize: VoxelSize, type: ElementType, shape: ZYX<Int>, position: ZYX<Double>?
    ) throws {
        let scratch = ScratchFolder()
        let path = scratch.path((name as NSString).lastPathComponent)
        try write(TIFFFiles.pattern(type, shape: shape), to: path, voxelSize: voxelSize, position: position)
        #expect(try bytes(path) == bytes(Self.reference(name)))
        #expect(scratch.contents == [(name as NSString).lastPathComponent])
    }

    @Test(arguments: ElementType.allCases, ["nii", "nii.gz"])
    func niftiReadsBackWhatWasWritten(type: ElementType, ending: String) throws {
        let scratch = ScratchFolder()
        let voxels = TIFFFiles.pattern(type)
        for voxelSize in [Self.nanometres, VoxelSize(ZYX(0.1, 0.2, 0.3), .millimeter), nil] {
            let path = scratch.path("a." + ending)
            try write(voxels, to: path, voxelSize: voxelSize, position: ZYX(100, 200, 300))
            let reader = try VolumeFile.open(path)
            #expect(try reader.read(Box(voxels.shape)) == voxels)
            try expect(reader.info, voxelSize, ZYX(100, 200, 300))
        }
    }

    @Test(arguments: [ElementType.int8, .int16, .uint16, .float32, .uint8])
    func mrcReadsBackWhatWasWritten(type: ElementType) throws {
        let scratch = ScratchFolder()
        let voxels = TIFFFiles.pattern(type)
        for voxelSize in [Self.nanometres, VoxelSize(ZYX(0.1, 0.2, 0.3), .millimeter), nil] {
            let path = scratch.path("a.mrc")
            try write(voxels, to: path, voxelSize: voxelSize, position: ZYX(100, 200, 300))
            let reader = try VolumeFile.open(path)
            #expect(try reader.read(Box(voxels.shape)).converted(to: type) == voxels)
            try expect(reader.info, voxelSize, ZYX(100, 200, 300))
        }
    }

    private func expect(_ info: VolumeInfo, _ voxelSize: VoxelSize?, _ position: ZYX<Double>) throws {
        guard let voxelSize else { return #expect(info.voxelSize.complete == nil) }
        #expect(try #require(info.voxelSize.complete).agrees(with: voxelSize, tolerance: 1e-6))
        for (found, expected) in zip(try #require(info.position).array, position.array) {
            #expect(abs(found - expected) < 1e-4)
        }
    }

    @Test func aPackedFileUnpacksToThePlainOneWhateverTheThreadsAndSlabs() throws {
        let scratch = ScratchFolder()
        // More than the megabyte that one thread packs at once.
        let voxels = TIFFFiles.pattern(.uint16, shape: ZYX(9, 300, 500))
        try write(voxels, to: scratch.path("plain.nii"), voxelSize: nil)
        try write(voxels, to: scratch.path("a.nii.gz"), voxelSize: nil, thickness: 1, threads: 1)
        try write(voxels, to: scratch.path("b.nii.gz"), voxelSize: nil, thickness: 9, threads: 3)
        let packed = try bytes(scratch.path("a.nii.gz"))
        #expect(try bytes(scratch.path("b.nii.gz")) == packed)
        let gzip = Process()
        gzip.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        gzip.arguments = ["gzip", "-d", scratch.path("a.nii.gz")]
        try gzip.run()
        gzip.waitUntilExit()
        #expect(try bytes(scratch.path("a.nii")) == bytes(scratch.path("plain.nii")))
    }

    @Test(arguments: [ElementType.uint32, .int32, .uint64, .int64, .float64])
    func typesThatMRCLacksAreRefused(type: ElementType) throws {
        let scratch = ScratchFolder()
        let path = scratch.path("a.mrc")
        let problem = "MRC has no type for \(type.rawValue); .h5, .zarr and .nii hold it"
        #expect(throws: FileFault(path, problem)) {
            try write(TIFFFiles.pattern(type), to: path, voxelSize: nil)
        }
        #expect(scratch.contents.isEmpty)
    }

    /// What is not finite does not count.
    @Test func statisticsOfAnMRCFileAreThoseOfItsFiniteVoxels() throws {
        let scratch = ScratchFolder()
        let path = scratch.path("a.mrc")
        let values: [Float] = [1_000_001, .nan, 1_000_003, .infinity, 1_000_005, 1_000_007]
        try write(VoxelBuffer(Volume(shape: ZYX(3, 1, 2), voxels: values)), to: path, voxelSize: nil, thickness: 1)
        let header = try bytes(path)
        let found = [76, 80, 84, 216].map { offset in
            header.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: Float.self) }
        }
        #expect(found == [1_000_001, 1_000_007, 1_000_004, Float(5.0.squareRoot())])
    }

    @Test(arguments: ["a.nii", "a.nii.gz", "a.mrc"])
    func anAbandonedFileLeavesNothing(name: String) throws {
        let scratch = ScratchFolder()
        let contents = VolumeFile.Contents(shape: TIFFFiles.shape, elementType: .int8, voxelSize: nil)
        var writer: (any VolumeWriter)? = try VolumeFile.create(scratch.path(name), contents)
        #expect(!scratch.contents.contains(name))
        let section = TIFFFiles.pattern(.int8).cropped(to: Box(ZYX(1, 9, 21)))
        try writer?.write(section, atZ: 0)
        let fault = FileFault(scratch.path(name), "cannot be completed: 1 of 3 sections were written")
        #expect(throws: fault) { try writer?.finish() }
        writer = nil
        #expect(scratch.contents.isEmpty)
    }

    @Test(arguments: ["a.NII", "a.nii.gz", "a.mrc", "a.map", "a.tif", "a.h5:/raw", "a.zarr:labels/x"])
    func theEndingSaysWhatIsWritten(name: String) { #expect(VolumeFile.isWritable(name)) }

    @Test(arguments: ["a.gz", "a.czi", "nii", "a.nii.xz"])
    func otherEndingsAreNotWritten(name: String) {
        #expect(!VolumeFile.isWritable(name))
        let contents = VolumeFile.Contents(shape: ZYX(1, 1, 1), elementType: .uint8, voxelSize: nil)
        #expect(throws: FileFault.self) { try VolumeFile.create(name, contents) }
    }

    private func write(
        _ voxels: VoxelBuffer, to path: String, voxelSize: VoxelSize?, position: ZYX<Double>? = nil,
        thickness: Int = 2, threads: Int = 1
    ) throws {
        let writer = try VolumeFile.create(
            path,
            VolumeFile.Contents(
                shape: voxels.shape, elementType: voxels.elementType, voxelSize: voxelSize, position: position),
            replaces: true, threads: threads)
        for slab in Box(voxels.shape).cells(of: ZYX(thickness, voxels.shape.y, voxels.shape.x)) {
            try writer.write(voxels.cropped(to: slab), atZ: slab.origin.z)
        }
        try writer.finish()
    }

    private func bytes(_ path: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    }

    private static func reference(_ name: String) -> String {
        Bundle.module.url(forResource: name, withExtension: nil, subdirectory: "Data")?.path ?? name
    }
}

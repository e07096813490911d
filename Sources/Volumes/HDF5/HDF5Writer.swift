import CHDF5
import Foundation

/// Writes one volume to a new HDF5 file, or into one that is there, slab by slab, in chunks compressed with gzip.
///
/// The file, or the copy that the volume is added to, stands beside its place under another name until `finish` renames it; a writer that goes
/// without `finish` leaves nothing behind. A writer belongs to one thread at a time.
public final class HDF5Writer {
    /// A chunk of 64-bit labels is half of h5py's chunk cache.
    private static let largestChunk = ZYX(16, 64, 64)
    /// Of the planes of a row of chunks, which are in memory at a time; of larger planes a row has fewer.
    private static let largestRow = 128 << 20

    private let path: String
    private let temporary: String
    private let addition: HDF5Addition?
    private let shape: ZYX<Int>
    private let elementType: ElementType
    private let chunk: ZYX<Int>
    private let threads: Int
    private var file: HDF5Handle?
    private var dataset: HDF5Handle?
    /// The planes received of the row of chunks that is not complete yet.
    private var pending: [UInt8] = []
    private var received = 0

    /// - Parameters:
    ///   - dataset: The dataset's path, with the groups it needs.
    ///   - voxelSize: Kept as the attributes `resolution` (nm) and `element_size_um` (µm), both z, y, x.
    ///   - position: Of the first voxel, in nanometres, kept as the attribute `offset` as CREMI's files do.
    ///   - adding: Whether a file that is there keeps its other datasets; otherwise it is replaced.
    ///   - threads: How many threads compress.
    ///   - step: Called while a file is copied; what it throws ends that.
    /// - Throws: `FileFault` where the file cannot be written.
    public init(
        path: String, dataset name: String = "/labels", shape: ZYX<Int>, elementType: ElementType,
        voxelSize: VoxelSize?, position: ZYX<Double>? = nil, adding: Bool = false, threads: Int = 1,
        step: () throws -> Void = {}
    ) throws {
        precondition(shape.array.allSatisfy { $0 > 0 })
        addition = adding && VolumeFile.isTaken(path) ? try HDF5Addition(to: path, dataset: name) : nil
        let path = addition?.path ?? path
        self.path = path
        self.shape = shape
        self.elementType = elementType
        self.threads = threads
        chunk = Self.chunk(of: shape, elementType)
        temporary = AtomicFile.temporaryPath(beside: path)
        try AtomicFile.makeFolder((path as NSString).deletingLastPathComponent)
        if addition != nil { try AtomicFile.copy(path, to: temporary, step: step) }
        try writing { try create(name, voxelSize, position) }
    }

    deinit {
        if file != nil { discard() }
    }

    /// The chunks that a volume is cut into.
    package static func chunk(of shape: ZYX<Int>, _ type: ElementType) -> ZYX<Int> {
        var chunk = largestChunk
        while chunk.z > 1 && chunk.z * shape.y * shape.x * type.size > largestRow { chunk.z /= 2 }
        return shape.zip(chunk, min)
    }

    /// Adds the planes from `z` on; slabs come in order, without gaps, of any thickness.
    ///
    /// - Precondition: `slab` has the volume's y, x and type and begins where the slab before it ended.
    /// - Throws: `FileFault` where the disk is full or refuses.
    public func write(_ slab: VoxelBuffer, atZ z: Int) throws {
        precondition(slab.elementType == elementType && slab.shape.y == shape.y && slab.shape.x == shape.x)
        precondition(z == received && z + slab.shape.z <= shape.z, "plane \(received) is next, not \(z)")
        let plane = shape.y * shape.x * elementType.size
        var taken = 0
        while taken < slab.shape.z {
            let missing = min(chunk.z - received % chunk.z, shape.z - received)
            let planes = min(missing, slab.shape.z - taken)
            pending += slab.bytes[taken * plane..<(taken + planes) * plane]
            taken += planes
            received += planes
            if planes == missing { try writeRowOfChunks() }
        }
    }

    /// Completes the file and puts it in its place, over the one that is there.
    ///
    /// - Throws: `FileFault` where planes are missing or the disk is full or refuses.
    public func finish() throws {
        guard received == shape.z else {
            throw FileFault(path, "cannot be completed: \(received) of \(shape.z) planes were written")
        }
        guard let file else { preconditionFailure("finish is called once") }
        try writing {
            try Self.reserveSpace(for: file, path)
            try HDF5Fault.check(H5Fflush(file.id, H5F_SCOPE_LOCAL))
        }
        close()
        do {
            try AtomicFile.sync(temporary, path)
            try AtomicFile.move(temporary, to: path)
        } catch {
            unlink(temporary)
            throw error
        }
    }

    private func close() {
        dataset = nil
        file = nil
    }

    private func discard() {
        if let file { HDF5Library.alone { Self.divert(file) } }
        close()
        unlink(temporary)
    }

    /// libhdf5 keeps metadata in memory up to here, and crashes where the disk turns out to be full while it
    /// writes them: their places in the file are claimed before.
    private static func reserveSpace(for file: HDF5Handle, _ path: String) throws {
        var size: hsize_t = 0
        try HDF5Fault.check(H5Fget_filesize(file.id, &size))
        guard let descriptor = descriptor(of: file) else { return }
        let status = posix_fallocate(descriptor.pointee, 0, off_t(size))
        if status != 0 { throw FileFault(path, "cannot be written: \(String(cString: strerror(status)))") }
    }

    private static func descriptor(of file: HDF5Handle) -> UnsafeMutablePointer<Int32>? {
        var handle: UnsafeMutableRawPointer?
        guard H5Fget_vfd_handle(file.id, hdf5_default(), &handle) >= 0 else { return nil }
        return handle?.assumingMemoryBound(to: Int32.self)
    }

    /// Lets what libhdf5 still writes to `file` go to memory that nobody keeps: where the disk is full it
    /// would fail to close the file, and crash when the process exits.
    private static func divert(_ file: HDF5Handle) {
        guard let descriptor = descriptor(of: file) else { return }
        let sink = hdf5_memory_file()
        guard sink >= 0 else { return }
        dup2(sink, descriptor.pointee)
        Foundation.close(sink)
    }

    /// Runs `body` in the library; at a fault the file is discarded and the fault told as its own.
    private func writing(_ body: () throws -> Void) throws {
        do {
            try HDF5Library.alone(body)
        } catch {
            discard()
            guard let fault = error as? HDF5Fault else { throw error }
            throw FileFault(path, "cannot be written: \(fault.reason)")
        }
    }
}

// The dataset.
extension HDF5Writer {
    private static let deflateLevel = 4

    private func create(_ name: String, _ voxelSize: VoxelSize?, _ position: ZYX<Double>?) throws {
        let file = try HDF5Handle(
            addition == nil
                ? H5Fcreate(temporary, hdf5_must_be_new(), hdf5_default(), hdf5_default())
                : H5Fopen(temporary, hdf5_read_write(), hdf5_default()), close: H5Fclose)
        self.file = file
        try addition?.makeWay(in: file)
        let dataset = try createDataset(name, in: file)
        self.dataset = dataset
        if let voxelSize {
            try writeAttribute(HDF5VoxelSize.nanometers, voxelSize.in(.nanometer), of: dataset)
            try writeAttribute(HDF5VoxelSize.micrometers, voxelSize.in(.micrometer), of: dataset)
        }
        if let position { try writeAttribute("offset", position, of: dataset) }
    }

    private func createDataset(_ name: String, in file: HDF5Handle) throws -> HDF5Handle {
        let space = try HDF5Handle(
            H5Screate_simple(3, shape.array.map { hsize_t($0) }, nil), close: H5Sclose)
        let creation = try HDF5Handle(H5Pcreate(hdf5_dataset_create()), close: H5Pclose)
        try HDF5Fault.check(H5Pset_chunk(creation.id, 3, chunk.array.map { hsize_t($0) }))
        // No modification time: the same labels are the same bytes.
        try HDF5Fault.check(H5Pset_obj_track_times(creation.id, false))
        try HDF5Fault.check(H5Pset_shuffle(creation.id))
        try HDF5Fault.check(H5Pset_deflate(creation.id, UInt32(Self.deflateLevel)))
        let link = try HDF5Handle(H5Pcreate(hdf5_link_create()), close: H5Pclose)
        try HDF5Fault.check(H5Pset_create_intermediate_group(link.id, 1))
        let id = H5Dcreate2(
            file.id, name, elementType.nativeHDF5, space.id, link.id, creation.id, hdf5_default())
        return try HDF5Handle(id, close: H5Dclose)
    }

    private func writeAttribute(_ name: String, _ value: ZYX<Double>, of dataset: HDF5Handle) throws {
        let space = try HDF5Handle(H5Screate_simple(1, [3], nil), close: H5Sclose)
        let id = H5Acreate2(
            dataset.id, name, hdf5_native_double(), space.id, hdf5_default(), hdf5_default())
        let attribute = try HDF5Handle(id, close: H5Aclose)
        try HDF5Fault.check(H5Awrite(attribute.id, hdf5_native_double(), value.array))
    }

    /// Compresses the pending planes' chunks on all threads, past libhdf5's own single-threaded filters.
    private func writeRowOfChunks() throws {
        guard let dataset else { preconditionFailure("write is not called after finish") }
        let planes = pending.count / (shape.y * shape.x * elementType.size)
        let slab = VoxelBuffer(elementType: elementType, shape: ZYX(planes, shape.y, shape.x), bytes: pending)
        pending.removeAll(keepingCapacity: true)
        let cells = Box(ZYX(chunk.z, shape.y, shape.x)).cells(of: chunk).map {
            Box(origin: $0.origin, shape: chunk)
        }
        let size = elementType.size
        let chunks = try parallelMap(cells.count, threads: threads) { index in
            let bytes = Shuffle.shuffled(slab.bytes(of: cells[index]), elementSize: size)
            return Deflate.compress(bytes, level: Self.deflateLevel)
        }
        let first = received - planes
        try writing {
            for (cell, bytes) in zip(cells, chunks) {
                let offset = (cell.origin + ZYX(first, 0, 0)).array.map { hsize_t($0) }
                try HDF5Fault.check(H5Dwrite_chunk(dataset.id, hdf5_default(), 0, offset, bytes.count, bytes))
            }
        }
    }
}

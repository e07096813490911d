import CHDF5

/// One dataset of an HDF5 file.
///
/// Integers and floating-point numbers of either byte order, stored whole, in chunks or across files, with
/// every filter that the installed libhdf5 has. Axes are z, y, x; further axes of length 1 may stand
/// before them.
public final class HDF5Reader: VolumeReader {
    public let info: VolumeInfo
    private let dataset: HDF5Dataset
    private let type: StoredType
    private let isChunked: Bool

    /// - Parameter dataset: The dataset's path in the file; nil finds the only one with three axes.
    /// - Throws: `FileFault`: not a sound HDF5 file, no such dataset or several (it lists those that are
    ///   there), a shape or type that is no volume, a filter that is not installed, or a voxel size stated
    ///   twice and differently.
    public init(path: String, dataset name: String? = nil) throws {
        (dataset, type, info, isChunked) = try HDF5Library.alone {
            let file = try Self.open(path)
            let dataset = try Self.find(name, in: file, path)
            let source = "\(path):\(dataset.name)"
            do {
                let type = try dataset.elementType()
                let (info, isChunked) = try Self.describe(dataset, type.elementType, in: file, source)
                return (dataset, type, info, isChunked)
            } catch let fault as HDF5Fault {
                throw FileFault(source, "is damaged: \(fault.reason)")
            } catch let type as UnsupportedType {
                throw FileFault(
                    source, "holds \(type.found); expected integers or floating-point numbers of up to 64 bits")
            } catch let sizes as HDF5VoxelSize.Contradiction {
                throw FileFault(
                    source,
                    "states two voxel sizes: \(HDF5VoxelSize.nanometers) is \(sizes.nanometers), "
                        + "\(HDF5VoxelSize.micrometers) is \(sizes.micrometers)")
            }
        }
    }

    /// - Throws: `FileFault` naming the chunk that cannot be read and libhdf5's reason.
    public func read(_ box: Box) throws -> VoxelBuffer {
        precondition(Box(info.shape).contains(box), "\(box) is not within \(Box(info.shape))")
        return try HDF5Library.alone {
            do {
                return try voxels(of: box)
            } catch let fault as HDF5Fault {
                throw locate(fault, in: box)
            }
        }
    }

    private func voxels(of box: Box) throws -> VoxelBuffer {
        let leading = [hsize_t](repeating: 0, count: dataset.dimensions.count - 3)
        let start = leading + box.origin.array.map { hsize_t($0) }
        let count = leading.map { _ in 1 } + box.shape.array.map { hsize_t($0) }
        let source = try HDF5Handle(H5Dget_space(dataset.handle.id), close: H5Sclose)
        try HDF5Fault.check(H5Sselect_hyperslab(source.id, H5S_SELECT_SET, start, nil, count, nil))
        let target = try HDF5Handle(H5Screate_simple(Int32(count.count), count, nil), close: H5Sclose)
        let memory = type.memory?.id ?? type.elementType.nativeHDF5
        let size = box.count * type.elementType.size
        let bytes = try [UInt8](unsafeUninitializedCapacity: size) { buffer, filled in
            try HDF5Fault.check(
                H5Dread(dataset.handle.id, memory, target.id, source.id, hdf5_default(), buffer.baseAddress))
            filled = size
        }
        return VoxelBuffer(elementType: type.elementType, shape: box.shape, bytes: bytes)
    }

    /// The fault with the first chunk of `box` that shows it.
    private func locate(_ fault: HDF5Fault, in box: Box) -> FileFault {
        let first = box.origin.zip(info.chunk) { $0 / $1 * $1 }
        let chunks = Box(from: first, to: box.end)
        // A search among more chunks than this would outlast anyone's patience.
        if isChunked, info.chunk.cells(covering: chunks.shape).array.allSatisfy({ $0 <= 64 }) {
            for chunk in chunks.cells(of: info.chunk) {
                do {
                    _ = try voxels(of: chunk.intersection(box))
                } catch {
                    let reason = (error as? HDF5Fault)?.reason ?? fault.reason
                    return FileFault(info.source, "the chunk at \(chunk) cannot be read: \(reason)")
                }
            }
        }
        return FileFault(info.source, "cannot be read at \(box): \(fault.reason)")
    }
}

// Opening.
extension HDF5Reader {
    private static func open(_ path: String) throws -> HDF5Handle {
        do {
            let access = try HDF5Handle(H5Pcreate(hdf5_file_access()), close: H5Pclose)
            // Some network file systems have no locks; reading needs none.
            H5Pset_file_locking(access.id, true, true)
            return try HDF5Handle(H5Fopen(path, hdf5_read_only(), access.id), close: H5Fclose)
        } catch let fault as HDF5Fault {
            throw FileFault(path, "cannot be opened as HDF5: \(fault.reason)")
        }
    }

    /// The dataset `name`, or the only one with three axes.
    private static func find(_ name: String?, in file: HDF5Handle, _ path: String) throws -> HDF5Dataset {
        do {
            guard let name else { return try theOnlyVolume(in: file, path) }
            let absolute = "/" + name.split(separator: "/").joined(separator: "/")
            do {
                return try HDF5Dataset(absolute, in: file)
            } catch let fault as HDF5Fault {
                let names = try HDF5Dataset.names(in: file)
                if names.contains(absolute) {
                    throw FileFault("\(path):\(absolute)", "is damaged: \(fault.reason)")
                }
                throw FileFault(path, "has no dataset \(absolute); it has \(list(names, in: file))")
            }
        } catch let fault as HDF5Fault {
            throw FileFault(path, "is damaged: its datasets cannot be listed: \(fault.reason)")
        }
    }

    private static func theOnlyVolume(in file: HDF5Handle, _ path: String) throws -> HDF5Dataset {
        let names = try HDF5Dataset.names(in: file)
        let volumes = names.compactMap { try? HDF5Dataset($0, in: file) }
            .filter { $0.shape != nil && (try? $0.elementType()) != nil }
        if volumes.count == 1 { return volumes[0] }
        if volumes.isEmpty {
            throw FileFault(path, "has no dataset with the axes z, y, x; it has \(list(names, in: file))")
        }
        throw FileFault(
            path,
            "has \(volumes.count) datasets with the axes z, y, x; name one, as in "
                + "\(path):\(volumes[0].name); it has \(list(volumes.map(\.name), in: file))")
    }

    /// For example `/labels (z 30 × y 40 × x 50), /raw (damaged)`; long lists are cut.
    private static func list(_ names: [String], in file: HDF5Handle) -> String {
        if names.isEmpty { return "none" }
        let shown = names.prefix(20).map { name in
            let shape = (try? HDF5Dataset(name, in: file))?.lettered ?? "damaged"
            return "\(HDF5Library.printable(name)) (\(shape))"
        }
        let rest = names.count - shown.count
        return shown.joined(separator: ", ") + (rest > 0 ? " and \(rest) more" : "")
    }

    private static func describe(
        _ dataset: HDF5Dataset, _ elementType: ElementType, in file: HDF5Handle, _ source: String
    ) throws -> (VolumeInfo, isChunked: Bool) {
        guard let shape = dataset.shape else {
            throw FileFault(
                source,
                "has the shape \(dataset.lettered); expected z, y, x, each at least 1, "
                    + "with no further axes but of length 1 before them")
        }
        let filters = try dataset.filters()
        if let missing = filters.first(where: { !$0.isAvailable }) {
            throw FileFault(
                source,
                "is compressed with \(missing.name) (filter \(missing.id)), which the installed libhdf5 lacks; "
                    + "expected gzip, as `h5repack -f GZIP=4` writes it where that filter is installed")
        }
        let chunk = try dataset.chunk()
        let info = VolumeInfo(
            source: source, format: "HDF5", shape: shape, elementType: elementType,
            voxelSize: try HDF5VoxelSize.stated(of: dataset, in: file),
            chunk: chunk ?? ZYX(1, shape.y, shape.x),
            compression: filters.isEmpty ? "none" : filters.map(\.name).joined(separator: " + "))
        return (info, chunk != nil)
    }
}

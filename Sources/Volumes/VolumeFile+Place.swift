import Foundation

/// Something lies at the place of a new volume already.
public struct OccupiedPlace: Error, Equatable {
    /// What the new volume would take the place of.
    public enum Occupant: Equatable, Sendable {
        /// A file of one volume.
        case file
        /// A whole HDF5 file, which other datasets may be added to.
        case datasets
        /// A whole OME-Zarr container, which labels may be added to.
        case container
        /// A dataset, or labels, within a file.
        case part
    }

    public let occupant: Occupant
}

extension VolumeFile {
    /// Whether something is at `path`, a link that leads nowhere included.
    static func isTaken(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0
    }

    /// Refuses the place of a new volume where something lies that would be lost, or that cannot be replaced.
    ///
    /// A location without a dataset stands for the whole file or container, one with a dataset for that alone: it is added
    /// to the file that is there.
    ///
    /// - Parameter replaces: whether what is there makes way.
    /// - Throws: `OccupiedPlace`; `FileFault` where no volume can be at that place.
    public static func checkPlace(of location: String, replaces: Bool) throws {
        let (path, dataset) = split(location)
        let ending = (path as NSString).pathExtension.lowercased()
        let containers = VolumeFormat.hdf5.containerEndings + VolumeFormat.omeZarr.containerEndings
        if let dataset, !containers.contains(ending) {
            throw FileFault(path, "holds one volume, to which none can be added; leave out :\(dataset)")
        }
        guard isTaken(path) else { return }
        if VolumeFormat.omeZarr.containerEndings.contains(ending) {
            if let dataset {
                try OMEZarrContainer.existing(at: path, forLabels: dataset)?.check(replaces: replaces)
                return
            }
            try OMEZarrContainer.checkReplaceable(path)
            if !replaces, ZarrFolder.hasMetadata(path) { throw OccupiedPlace(occupant: .container) }
            return
        }
        guard !isFolder(path) else { throw FileFault(path, "is a folder; expected the name of a file") }
        let holdsDatasets = VolumeFormat.hdf5.containerEndings.contains(ending)
        if holdsDatasets, let dataset {
            try HDF5Addition(to: path, dataset: dataset).check(replaces: replaces)
        } else if !replaces {
            throw OccupiedPlace(occupant: holdsDatasets ? .datasets : .file)
        }
    }

    static func isFolder(_ path: String) -> Bool {
        var isFolder: ObjCBool = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
    }
}

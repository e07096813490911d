import CHDF5
import Foundation

/// A dataset that is to be added to a file that is there: to a copy of it, which then takes its place.
struct HDF5Addition {
    /// Without symbolic links: the copy takes the place of the file, not of a link to it.
    let path: String
    /// As its user names it.
    private let title: String
    private let names: [String]

    /// - Throws: `FileFault` where the name is none of a dataset.
    init(to path: String, dataset: String) throws {
        title = path
        self.path = resolvedPath(path) ?? path
        names = dataset.split(separator: "/").filter { $0 != "." }.map(String.init)
        guard !names.isEmpty else { throw FileFault(path, "expected the name of a dataset after the colon") }
    }

    /// Refuses a dataset that is there already, and a place that none can be at.
    ///
    /// - Throws: `OccupiedPlace`, `FileFault`.
    func check(replaces: Bool) throws {
        try HDF5Library.alone {
            let file: HDF5File
            do {
                file = try HDF5File(path, allowsExternalLinks: false)
            } catch let fault as HDF5Fault {
                throw FileFault(title, "cannot be opened as HDF5: \(fault.reason)")
            }
            // Listing finds damage that looking for single links makes libhdf5 1.10 crash or loop at.
            _ = try HDF5Contents(file: file, path: title).datasetNames()
            do {
                try checkLinks(in: file, replaces: replaces)
            } catch let fault as HDF5Fault {
                throw FileFault(title, "is damaged: \(fault.reason)")
            }
        }
    }

    /// Frees the dataset's place in the copy, where one is there.
    ///
    /// - Throws: `HDF5Fault`.
    func makeWay(in file: HDF5Handle) throws {
        var parent = ""
        for name in names {
            parent += "/" + name
            guard try HDF5Fault.check(H5Lexists(file.id, parent, hdf5_default())) > 0 else { return }
        }
        try HDF5Fault.check(H5Ldelete(file.id, parent, hdf5_default()))
    }

    private func checkLinks(in file: HDF5File, replaces: Bool) throws {
        var parent = try HDF5Object("/", in: file).handle
        func fault(_ depth: Int, _ problem: String) -> FileFault {
            let shown = names.map(HDF5Library.printable)
            return FileFault(
                title + ":/" + shown.joined(separator: "/"), "/\(shown[...depth].joined(separator: "/")) \(problem)"
            )
        }
        for (depth, name) in names.enumerated() {
            guard try HDF5Fault.check(H5Lexists(parent.id, name, hdf5_default())) > 0 else { return }
            var kind = H5L_TYPE_HARD
            var size = 0
            try HDF5Fault.check(hdf5_link(parent.id, name, &kind, &size))
            let isLast = depth == names.count - 1
            if kind == H5L_TYPE_HARD {
                parent = try HDF5Handle(H5Oopen(parent.id, name, hdf5_default()), close: H5Oclose)
                let isGroup = H5Iget_type(parent.id) == H5I_GROUP
                if isLast && isGroup { throw fault(depth, "is a group; expected the name of a new dataset") }
                if !isLast && !isGroup { throw fault(depth, "is no group, so that nothing can be added to it") }
            } else if !isLast {
                throw fault(depth, "is a link, through which nothing is added")
            }
            if isLast && !replaces { throw OccupiedPlace(occupant: .part) }
        }
    }
}

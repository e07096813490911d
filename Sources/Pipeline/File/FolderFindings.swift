import Foundation
import Volumes

/// What the folders that were searched held besides volumes that are a file each, for people to know.
struct FolderFindings {
    private var series: [(folder: String, count: Int)] = []
    private var unread: [String] = []
    private var unclaimed: [String] = []
    private let search: VolumeSearch

    init(_ search: VolumeSearch) { self.search = search }

    /// What was found for a text of the pipeline file.
    mutating func add(_ paths: ImagePaths) {
        if let listing = paths.listing { add(listing, of: paths.base) }
        guard paths.sections > 0, let pattern = paths.found.first?.path else { return }
        add(series: SourceLocation(found: pattern, dataset: nil, relativeTo: search.folder).title, paths.sections)
    }

    private mutating func add(_ listing: VolumeListing, of base: String) {
        func title(_ path: String) -> String {
            let whole = path.isEmpty ? base : base + "/" + path
            return SourceLocation(found: whole, dataset: nil, relativeTo: search.folder).title
        }
        for (folder, count) in listing.series.sorted(by: { $0.key < $1.key }) {
            add(series: title(folder), count)
        }
        let known = Set(unread)
        unread += listing.unread.map(title).filter { !known.contains($0) }
    }

    private mutating func add(series title: String, _ count: Int) {
        if !series.contains(where: { $0.folder == title }) { series.append((title, count)) }
    }

    /// Labels, absolute, that belong to no image.
    mutating func add(unclaimed labels: [String]) {
        for path in labels {
            let title = SourceLocation(found: path, dataset: nil, relativeTo: search.folder).title
            if !unclaimed.contains(title) { unclaimed.append(title) }
        }
    }

    /// In one sentence each.
    var notes: [String] {
        series.map { folder, count in
            search.joinsSections
                ? "\(folder): \(count) numbered sections are read as one volume"
                : "\(folder): \(count) numbered images are read as a volume each ({image: \(folder)} makes them one)"
        } + Self.kinds(unread)
            + unclaimed.map { "\($0) is named like labels, but there is no image of that name: it is not used" }
    }

    /// A sentence for each kind of files that are not read, by their endings.
    static func kinds(_ unread: [String]) -> [String] {
        let kinds = Dictionary(grouping: unread) { ($0 as NSString).pathExtension.lowercased() }
        return kinds.sorted { $0.key < $1.key }.map { ending, files in
            let many = files.count > 1
            let what = ending.isEmpty ? "without an ending" : "of .\(ending)"
            let start =
                "\(grouped(files.count)) \(many ? "files" : "file") \(what) \(many ? "are" : "is") not read: "
            guard let vendor = VolumeFile.vendorFormat(named: files[0]) else {
                return start + "no format of volumes known here (" + files.prefix(3).joined(separator: ", ")
                    + (files.count > 3 ? ", …)" : ")")
            }
            let target = (files[0] as NSString).deletingPathExtension + ".zarr"
            return start
                + "\(vendor), which bioformats2raw turns into OME-Zarr (bioformats2raw '\(files[0])' '\(target)')"
        }
    }
}

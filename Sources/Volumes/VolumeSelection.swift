/// Which volume of a file is meant, where it holds several channels or time points; both are counted from 0.
public struct VolumeSelection: Codable, Hashable, Sendable {
    public var channel: Int?
    public var time: Int?
    /// What the volume is for, where a file holds several under names that say so.
    public var role: VolumeRole?
    /// Whether an HDF5 file may name others outside its folder, which are then opened.
    public var allowsExternalLinks: Bool

    public init(
        channel: Int? = nil, time: Int? = nil, role: VolumeRole? = nil, allowsExternalLinks: Bool = false
    ) {
        self.channel = channel
        self.time = time
        self.role = role
        self.allowsExternalLinks = allowsExternalLinks
    }

    /// The channel and time point of a file that has so many.
    ///
    /// - Parameter guess: what the file's axes are taken as, where it does not say.
    /// - Throws: `FileFault` where the file has several and none is chosen, or none of that number.
    func resolved(channels: Int, times: Int, of source: String, guess: String? = nil) throws -> VolumeSelection {
        func pick(_ chosen: Int?, _ count: Int, _ what: String) throws -> Int {
            guard let chosen else {
                if count == 1 { return 0 }
                throw FileFault(
                    source,
                    "has \(count) \(what)s; choose one, as in \(what): 0" + (guess.map { " (\($0))" } ?? ""))
            }
            guard (0..<count).contains(chosen) else {
                throw FileFault(
                    source,
                    "has no \(what) \(chosen); it has \(count == 1 ? "only \(what) 0" : "\(what)s 0 to \(count - 1)")"
                )
            }
            return chosen
        }
        return VolumeSelection(
            channel: try pick(channel, channels, "channel"), time: try pick(time, times, "time"))
    }
}

/// How many sections, channels and times the pages of a file are, and in which order.
struct TIFFDimensions: Equatable {
    enum Axis { case section, channel, time }

    var sections: Int
    var channels = 1
    var times = 1
    /// The axes that pages run along, the fastest first.
    var order: [Axis] = [.channel, .section, .time]

    /// The number of pages; nil where it is beyond 64 bits.
    var pages: Int? {
        let (planes, overflow) = sections.multipliedReportingOverflow(by: channels)
        let (pages, again) = planes.multipliedReportingOverflow(by: times)
        return overflow || again ? nil : pages
    }

    /// The page of a section of a channel at a time.
    func page(section: Int, channel: Int, time: Int) -> Int {
        var page = 0
        for axis in order.reversed() {
            switch axis {
            case .section: page = page * sections + section
            case .channel: page = page * channels + channel
            case .time: page = page * times + time
            }
        }
        return page
    }

    /// For example `2 channels, 3 sections and 1 time`.
    var summary: String {
        func counted(_ count: Int, _ noun: String) -> String { "\(grouped(count)) \(noun)\(count == 1 ? "" : "s")" }
        return "\(counted(channels, "channel")), \(counted(sections, "section")) and \(counted(times, "time"))"
    }
}

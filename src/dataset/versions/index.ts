/** Versions of tables: what there is, names, differences, going back, kept views. */
export { type BranchResult, branchTable } from "./branch.ts"
export { diffVersions, type ItemChange } from "./diff.ts"
export { listVersions, type VersionInfo } from "./list.ts"
export { type RestoreOptions, type RestoreResult, restoreVersion } from "./restore.ts"
export { deleteTag, type TagOptions, tagVersion } from "./tag.ts"
export { deleteView, listViews, loadView, type SavedView, saveView } from "./views.ts"

/** LeRobot datasets: tasks, frames and episodes, each a table of its own. */
export { LeRobotEpisodes, type LeRobotEpisodesOptions, leRobotEpisodes } from "./episodes.ts"
export { LeRobotFrames, type LeRobotFramesOptions, leRobotFrames } from "./frames.ts"
export { LeRobotTasks, type LeRobotTasksOptions, leRobotTasks } from "./tasks.ts"

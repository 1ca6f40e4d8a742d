/** Does what a newcomer would do first: opens the demo lab. Lives only in the profile that `npm start` makes. */
const { commands } = require('vscode');

exports.activate = () => {
  // Not awaited: the lab takes seconds, and activation should not.
  void commands.executeCommand('qumail.openLab');
};
